import type { Program } from './command.ts';

export const sftAdmin: Program = {
  name: 'sft-admin',
  summary: 'requests, policies, servers, users, sessions and the log',
  commands: {},
};
