const PLACEHOLDER = '{unix_name}';

/**
 * Names that must not be somebody's own account together with `unixName`, where a server's
 * template makes the account for admin-level access: `ana-adm` is Ana's, so it is nobody's
 * own account; and who is called `ana-adm` must not find an `ana` whose account it is.
 */
export function namesClashingWith(unixName: string, templates: readonly string[]): string[] {
  return templates.flatMap((template) => {
    const [before = '', after = ''] = template.split(PLACEHOLDER);
    const made = `${before}${unixName}${after}`;
    const cut = unixName.slice(before.length, unixName.length - after.length);
    const isMade = cut !== '' && `${before}${cut}${after}` === unixName;
    return isMade ? [made, cut] : [made];
  });
}
