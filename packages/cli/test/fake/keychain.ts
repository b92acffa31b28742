import {
  KeychainFault,
  type KeychainItem,
  type KeychainManner,
  type KeychainPort,
  type KeychainTrouble,
} from '../../src/keychain.ts';

/** A keychain that holds what it is given, until it is in trouble. */
export class FakeKeychain implements KeychainPort {
  readonly items = new Map<string, string>();
  /** Each call, with how it was made. */
  readonly calls: string[] = [];
  trouble: KeychainTrouble | undefined;
  /** As some do: it says yes, and keeps nothing. */
  forgets = false;

  async get(item: KeychainItem, manner: KeychainManner): Promise<string | undefined> {
    return this.items.get(this.touched('get', item, manner));
  }

  async set(item: KeychainItem, secret: string, manner: KeychainManner): Promise<void> {
    const name = this.touched('set', item, manner);
    if (!this.forgets) this.items.set(name, secret);
  }

  async remove(item: KeychainItem, manner: KeychainManner): Promise<void> {
    this.items.delete(this.touched('remove', item, manner));
  }

  private touched(call: string, { service, account }: KeychainItem, manner: KeychainManner) {
    this.calls.push(`${call} ${manner}`);
    if (this.trouble !== undefined) throw new KeychainFault(this.trouble);
    return `${service}/${account}`;
  }
}
