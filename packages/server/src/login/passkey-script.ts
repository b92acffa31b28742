/**
 * The one script of the pages: it asks the browser for a passkey and hands over what that says.
 * A file of our own, so that the pages' policy need not allow any script in them.
 */
export const PASSKEY_SCRIPT = `'use strict';
const toBytes = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const named = (list) => (list ?? []).map((item) => ({ ...item, id: toBytes(item.id) }));
const ask = async (path, body) => {
  const answer = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    credentials: 'same-origin',
    redirect: 'error',
    body: JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.error ?? said.detail ?? 'It did not work.');
  return said;
};
const get = async (options) => {
  const { challenge, allowCredentials } = options;
  const publicKey = {
    ...options,
    challenge: toBytes(challenge),
    allowCredentials: named(allowCredentials),
  };
  const { response } = await kept(navigator.credentials.get({ publicKey }));
  const { authenticatorData, signature, userHandle } = response;
  return {
    authenticatorData: toText(authenticatorData),
    signature: toText(signature),
    ...(userHandle ? { userHandle: toText(userHandle) } : {}),
  };
};
const create = async (options) => {
  const { challenge, user, excludeCredentials } = options;
  const publicKey = {
    ...options,
    challenge: toBytes(challenge),
    user: { ...user, id: toBytes(user.id) },
    excludeCredentials: named(excludeCredentials),
  };
  const { response } = await kept(navigator.credentials.create({ publicKey }));
  return {
    attestationObject: toText(response.attestationObject),
    transports: response.getTransports?.() ?? [],
  };
};
let credential;
const kept = async (asked) => (credential = await asked);
const run = async (form) => {
  const { path, kind, csrf, next } = form.dataset;
  const options = await ask(path + '/options', { csrf });
  const said = await (kind === 'create' ? create : get)(options);
  const { rawId, type, response } = credential;
  const id = toText(rawId);
  const name = form.elements.namedItem('name')?.value;
  const { location } = await ask(path, {
    csrf,
    ...(next ? { next } : {}),
    ...(name === undefined ? {} : { name }),
    response: {
      id, rawId: id, type, clientExtensionResults: {},
      response: { ...said, clientDataJSON: toText(response.clientDataJSON) },
    },
  });
  window.location.assign(location);
};
for (const form of window.PublicKeyCredential ? document.querySelectorAll('form.passkey') : []) {
  form.hidden = false;
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const status = form.querySelector('[role=status]');
    status.textContent = '';
    run(form).catch((error) => {
      status.textContent = error.name === 'NotAllowedError' ? 'Nothing was chosen.' : error.message;
    });
  });
}
`;
