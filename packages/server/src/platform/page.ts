import { createHash } from 'node:crypto';
import { type Html, html, lines } from './html.ts';

/** The pages' only style; it follows the colours, fonts and contrast that a person has chosen. */
const STYLE = `
:root{color-scheme:light dark;font:100%/1.5 system-ui,sans-serif}
body{margin:0;padding:1rem;overflow-wrap:anywhere}
main{max-width:42rem;margin:0 auto}
h1{font-size:1.35rem;line-height:1.25}
h2{font-size:1.1rem;margin-top:2rem}
dt{font-weight:600;margin-top:.6rem}
dd{margin:0}
fieldset{border:1px solid;border-radius:.3rem;margin:1rem 0}
label{display:block;margin:.6rem 0 .2rem}
fieldset label{margin:.2rem 0}
textarea,input[type=password],input[type=text]{box-sizing:border-box;width:100%;font:inherit;padding:.4rem}
button{font:inherit;padding:.5rem 1rem;margin-top:1rem}
[role=alert]{border:2px solid;border-radius:.3rem;padding:.5rem .8rem}
:focus-visible{outline:3px solid;outline-offset:2px}
`;

const styleHash = createHash('sha256').update(STYLE).digest('base64');

const headers = (script: readonly string[]): Readonly<Record<string, string>> => ({
  'content-security-policy': [
    "default-src 'none'",
    `style-src 'sha256-${styleHash}'`,
    ...script,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join(';'),
  'cache-control': 'no-store',
  'content-type': 'text/html; charset=utf-8',
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-robots-tag': 'noindex',
});

/** No script, no other source, no frame around it, and its form goes nowhere else. */
export const PAGE_HEADERS = headers([]);

/** As {@link PAGE_HEADERS}, for a page that loads a script of our own, which asks our own. */
export const SCRIPT_PAGE_HEADERS = headers([
  "script-src 'self'",
  "connect-src 'self'",
  "require-trusted-types-for 'script'",
]);

/** A whole document. `script`: the path of a file of our own that it loads. */
export function page(title: string, content: Html, script?: string): string {
  const load = script === undefined ? null : html`<script src="${script}" defer></script>\n`;
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Postern</title>
<style>${lines(STYLE)}</style>
${load}</head>
<body>
<main>
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`;
  return document.toString();
}

export const paragraphs = (texts: readonly string[]): Html[] =>
  texts.map((text) => html`<p>${text}</p>\n`);

/** What was wrong with what was sent, read out at once by whoever reads the page aloud. */
export const alert = (texts: readonly string[] | undefined): Html | null =>
  texts === undefined ? null : html`<div role="alert">\n${paragraphs(texts)}</div>\n`;

/** A page without a form: what is so, and what to do. */
export const messagePage = (title: string, texts: readonly string[]): string =>
  page(title, html`${paragraphs(texts)}`);
