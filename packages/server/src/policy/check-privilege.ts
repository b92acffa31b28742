import type { Place } from './faults.ts';
import { isAdminTemplate } from './identity.ts';
import type { Privilege, Selector } from './model.ts';
import type { ServerReference } from './references.ts';
import type { Scope } from './validate-selectors.ts';

/** A privilege that nothing selected could serve is a mistake: people would believe in it. */
export function checkPrivilege(
  privilege: Privilege,
  selectors: readonly Selector[],
  place: Place,
  scope: Scope,
): void {
  const type = privilege.privilege_type;
  if (type !== 'principal_account_ssh') {
    if (!selectors.some(selectsAccounts))
      place.fault('nothing_selected', `${type} needs a selector that names accounts.`);
    return;
  }
  if (!selectors.some(selectsServers))
    place.fault('nothing_selected', `${type} needs a selector of servers.`);
  else if (privilege.admin_level_permissions && !hasAdminAccount(selectors, scope))
    place
      .at('admin_level_permissions')
      .fault('no_admin_account', 'No server selected has an account template for admins.');
}

const selectsServers = (selector: Selector): boolean =>
  selector.selector_type !== 'individual_server_account';

const selectsAccounts = (selector: Selector): boolean =>
  selector.selector_type === 'individual_server_account' ||
  (selector.selector_type === 'server_label' && selector.account_selector_type === 'username');

/** Whether at least one server that the selectors select today names an account for admins. */
function hasAdminAccount(selectors: readonly Selector[], scope: Scope): boolean {
  const group = scope.resource_group;
  return scope.references.servers.all.some(
    (server) =>
      server.admin_account_template !== null &&
      isAdminTemplate(server.admin_account_template) &&
      (!group || server.resource_group_id === group.id) &&
      selectors.some((selector) => selects(selector, server)),
  );
}

function selects(selector: Selector, server: ServerReference): boolean {
  if (selector.selector_type === 'individual_server_account') return false;
  if (selector.selector_type === 'individual_server') return selector.server.id === server.id;
  return Object.entries(selector.server_selector.labels).every(
    ([key, value]) => Object.hasOwn(server.labels, key) && server.labels[key] === value,
  );
}
