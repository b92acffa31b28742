/** An SSH server to connect to: on loopback, with the accounts of the demo world. */
export interface Target {
  readonly port: number;
  /** Account → its password, random at each start. */
  readonly passwords: Readonly<Record<string, string>>;
  /** One line about it, for people. */
  readonly description: string;
  stop(): Promise<void>;
}

export const ACCOUNTS = ['pamadmin1', 'pamadmin2'] as const;
