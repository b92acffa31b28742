const ADDRESS =
  /^[^\s"(),:;<>@[\\\]\p{Cc}\p{Cf}]{1,64}@[\p{L}\p{N}](?:[\p{L}\p{N}.-]{0,251}[\p{L}\p{N}])?$/u;

/** An address that can stand in a header and an SMTP command as it is, with nothing to quote. */
export const isMailAddress = (text: string): boolean => text.length <= 254 && ADDRESS.test(text);

/** `name <address>`, or an address alone. @returns undefined for anything else */
export function parseMailbox(
  text: string,
): { readonly name: string; readonly address: string } | undefined {
  const [, name = '', address = ''] = /^(?:([^<>"\p{Cc}\p{Cf}]{1,100}) )?<([^<>]+)>$/u.exec(
    text,
  ) ?? ['', '', text];
  return isMailAddress(address) ? { name, address } : undefined;
}
