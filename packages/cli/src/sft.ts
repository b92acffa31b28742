import type { Program } from './command.ts';

export const sft: Program = {
  name: 'sft',
  summary: 'servers you can reach, and the way to them',
  commands: {
    login: async () => (await import('./commands/login.ts')).login,
    logout: async () => (await import('./commands/logout.ts')).logout,
    whoami: async () => (await import('./commands/whoami.ts')).whoami,
    'list-servers': async () => (await import('./commands/list-servers.ts')).listServers,
    ssh: async () => (await import('./commands/ssh.ts')).ssh,
    'request catalog': async () => (await import('./commands/request-catalog.ts')).requestCatalog,
    'request create': async () => (await import('./commands/request-create.ts')).requestCreate,
    'request list': async () => (await import('./commands/request-list.ts')).requestList,
    'request show': async () => (await import('./commands/request-show.ts')).requestShow,
    'request cancel': async () => (await import('./commands/request-cancel.ts')).requestCancel,
    'request escalate': async () =>
      (await import('./commands/request-escalate.ts')).requestEscalate,
    'request wait': async () => (await import('./commands/request-wait.ts')).requestWait,
    'workload authenticate': async () =>
      (await import('./commands/workload-authenticate.ts')).workloadAuthenticate,
    drop: async () => (await import('./commands/drop.ts')).drop,
    completion: async () => (await import('./commands/completion.ts')).completion,
  },
};
