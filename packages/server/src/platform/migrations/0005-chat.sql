-- Accounts in a chat, each linked by its person from a logged-in session.

-- One live code for each person; what is typed in the chat is kept as its SHA-256, hex.
create table chat_link_codes (
  user_id uuid primary key references users (id),
  hash text not null unique,
  -- The token it was made with: it must be valid still when the code is given.
  token_id uuid not null references tokens (id),
  -- Who issued that token, if not the person: he saw the code, or could have.
  issued_by uuid references users (id),
  expires_at timestamptz not null
);

create table chat_links (
  id uuid primary key,
  user_id uuid not null references users (id),
  workspace_id text not null,
  chat_user_id text not null,
  -- Stays for good: whatever is decided through the link is his doing as well.
  issued_by uuid references users (id),
  created_at timestamptz not null,
  removed_at timestamptz
);
-- One person for each account, one account for each person.
create unique index chat_links_account on chat_links (workspace_id, chat_user_id)
  where removed_at is null;
create unique index chat_links_person on chat_links (user_id) where removed_at is null;
create index chat_links_issuer on chat_links (issued_by) where removed_at is null;

-- Signatures of the chat that were served: each serves once, on every replica.
create table chat_signatures (
  signature text primary key,
  expires_at timestamptz not null
);
create index chat_signatures_over on chat_signatures (expires_at);
