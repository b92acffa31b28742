-- The login in a browser that an authenticator app is being added with: no other is shown its secret,
-- or proves it. What was being added before it was kept is begun again.
alter table totp_credentials add column begun_with uuid;
