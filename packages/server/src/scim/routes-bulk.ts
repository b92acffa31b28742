import SCIMMY from 'scimmy';
import type { DirectoryHooks } from '../directory/index.ts';
import { Refusal } from '../platform/errors.ts';
import { badSyntax, ScimFault } from './fault.ts';
import { isObject, refuseDangerousNames } from './resource.ts';
import type { Json } from './schemas.ts';
import type { Act } from './service-authenticate.ts';
import * as groups from './service-groups.ts';
import * as users from './service-users.ts';

export const MAX_BULK = 100;

/**
 * Bulk (RFC 7644 §3.7): each operation in a transaction of its own, one after the other; the
 * library orders them and fills in `bulkId:` references.
 *
 * @param run acts through the connection, which it authenticates anew
 */
export async function runBulk(
  run: <T>(act: Act<T>) => Promise<T>,
  hooks: DirectoryHooks,
  body: unknown,
  base: string,
): Promise<Json> {
  if (!isObject(body)) throw badSyntax('The body is not a BulkRequest.');
  refuseDangerousNames(body);
  const User = resource('/Users', base, {
    create: (data) => run((tx, own) => users.createUser(tx, own, hooks, data)),
    replace: (id, data) => run((tx, own) => users.replaceUser(tx, own, hooks, id, data, undefined)),
    modify: (id, data) => run((tx, own) => users.modifyUser(tx, own, hooks, id, data, undefined)),
    remove: (id) => run((tx, own) => users.deleteUser(tx, own, hooks, id, undefined)),
  });
  const Group = resource('/Groups', base, {
    create: (data) => run((tx, own) => groups.createGroup(tx, own, data)),
    replace: (id, data) => run((tx, own) => groups.replaceGroup(tx, own, id, data, undefined)),
    modify: (id, data) => run((tx, own) => groups.modifyGroup(tx, own, id, data, undefined)),
    remove: (id) => run((tx, own) => groups.deleteGroup(tx, own, id, undefined)),
  });
  try {
    const request = new SCIMMY.Messages.BulkRequest(body as never, MAX_BULK);
    return { ...(await request.apply([User, Group] as never)) };
  } catch (error) {
    if (!(error instanceof SCIMMY.Types.Error)) throw error;
    const { status, message } = error as { status: number; message: string };
    throw new ScimFault(Number(status), status === 413 ? undefined : 'invalidSyntax', message);
  }
}

interface Actions {
  create(data: unknown): Promise<users.Rendered>;
  replace(id: string, data: unknown): Promise<users.Rendered>;
  modify(id: string, data: unknown): Promise<unknown>;
  remove(id: string): Promise<void>;
}

function resource(endpoint: string, base: string, actions: Actions): typeof SCIMMY.Types.Resource {
  return class extends SCIMMY.Types.Resource {
    readonly #id: string | undefined;

    constructor(id?: string) {
      // The library's own constructor would make a filter of the id, as text.
      super();
      this.#id = id;
      if (id !== undefined) this.id = id;
    }

    static override get endpoint(): string {
      return endpoint;
    }

    static override basepath(): never {
      return (base + endpoint) as never;
    }

    override async write(data: unknown): Promise<never> {
      const made = await spoken(() =>
        this.#id === undefined ? actions.create(data) : actions.replace(this.#id, data),
      );
      return made.body as never;
    }

    override async patch(data: unknown): Promise<never> {
      await spoken(() => actions.modify(this.#id ?? '', data));
      return undefined as never;
    }

    override async dispose(): Promise<never> {
      await spoken(() => actions.remove(this.#id ?? ''));
      return undefined as never;
    }
  } as unknown as typeof SCIMMY.Types.Resource;
}

/** In the library's words, so that it goes on with the next operation. */
async function spoken<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof ScimFault)
      throw new SCIMMY.Types.Error(error.status, error.scimType ?? '', error.message);
    if (error instanceof Refusal && error.status !== 401)
      throw new SCIMMY.Types.Error(known(error.status), '', error.detail);
    throw error;
  }
}

/** The library knows no other statuses. */
const known = (status: number): number => ([403, 404, 409, 412].includes(status) ? status : 400);
