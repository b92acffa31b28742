/** What a form of a page sends, by name. */
type Fields = Readonly<Record<string, string>>;

const MAX_STEPS = 10;

/**
 * A browser as far as pages without a script need one: cookies, links, redirects and forms,
 * with the headers by which a service tells its own page from another's.
 */
export class Browser {
  /** Where it is. */
  url: URL;
  html = '';
  status = 0;
  readonly #cookies = new Map<string, string>();

  constructor(origin: string) {
    this.url = new URL(origin);
  }

  /** The page as a person reads it. */
  get text(): string {
    return this.html
      .replaceAll(/<(style|script|head)[\s\S]*?<\/\1>/g, ' ')
      .replaceAll(/<[^>]*>/g, ' ')
      .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
      .replaceAll('&quot;', '"')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&amp;', '&')
      .replaceAll(/\s+/g, ' ')
      .trim();
  }

  /** Opens an address, as if it had been typed, and follows where it leads. */
  open(address: string): Promise<void> {
    return this.#go(new URL(address, this.url), { method: 'GET' });
  }

  /** Fills in the form that goes to this path (or the only one) and sends it. */
  submit(fields: Fields, path?: string): Promise<void> {
    const forms = [...this.html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)]
      .map(([, head = '', body = '']) => ({
        action: new URL(attribute(head, 'action') ?? this.url.href, this.url),
        post: attribute(head, 'method') === 'post',
        hidden: hiddenFields(body),
      }))
      .filter(({ post, action }) => post && (path === undefined || action.pathname === path));
    const [form] = forms;
    if (form === undefined || forms.length > 1)
      throw new Error(
        `${forms.length} forms to ${path ?? 'anywhere'} on ${this.url}: ${this.text}`,
      );
    return this.#go(form.action, {
      method: 'POST',
      body: new URLSearchParams({ ...form.hidden, ...fields }).toString(),
    });
  }

  async #go(
    start: URL,
    first: { readonly method: 'GET' | 'POST'; readonly body?: string },
  ): Promise<void> {
    let request = first;
    let to = start;
    for (let step = 0; step < MAX_STEPS; step += 1) {
      const answer = await fetch(to, {
        ...request,
        redirect: 'manual',
        headers: {
          ...(this.#cookies.size === 0 ? {} : { cookie: this.#cookieHeader() }),
          ...(request.method === 'POST'
            ? {
                'content-type': 'application/x-www-form-urlencoded',
                origin: this.url.origin,
                'sec-fetch-site': 'same-origin',
              }
            : { 'sec-fetch-site': 'none' }),
        },
      });
      for (const cookie of answer.headers.getSetCookie()) this.#keep(cookie);
      this.url = to;
      this.status = answer.status;
      this.html = await answer.text();
      const next = answer.headers.get('location') ?? this.#refresh();
      if (next === undefined) return;
      to = new URL(next, to);
      request = { method: 'GET' };
    }
    throw new Error(`it goes on and on: ${this.url}`);
  }

  #refresh(): string | undefined {
    const [, target] = /<meta http-equiv="refresh" content="0;url=([^"]*)">/.exec(this.html) ?? [];
    return target?.replaceAll('&amp;', '&').replaceAll('&#38;', '&');
  }

  #cookieHeader(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  #keep(header: string): void {
    const [pair = '', ...attributes] = header.split(';');
    const at = pair.indexOf('=');
    const name = pair.slice(0, at);
    const value = pair.slice(at + 1);
    const ends = attributes.some(
      (text) => /^\s*max-age=0$/i.test(text) || /^\s*expires=Thu, 01 Jan 1970/i.test(text),
    );
    if (ends || value === '') this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }
}

const attribute = (head: string, name: string): string | undefined => {
  const [, value] = new RegExp(`\\b${name}="([^"]*)"`).exec(head) ?? [];
  return value?.replaceAll('&amp;', '&');
};

const hiddenFields = (body: string): Fields =>
  Object.fromEntries(
    [...body.matchAll(/<input\b([^>]*)>/g)]
      .map(([, head = '']) => head)
      .filter((head) => attribute(head, 'type') === 'hidden')
      .map((head) => [attribute(head, 'name') ?? '', attribute(head, 'value') ?? '']),
  );
