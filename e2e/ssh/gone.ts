import type { Answer } from '@postern/shared';
import { describe, expect, it } from 'vitest';
import { gatewayOf } from '../world/processes.ts';
import { restOf } from '../world/rest.ts';
import type { World } from '../world/world.ts';
import { again, connected, cuts, endsSoon, SSH, until } from './live.ts';

/** A part that dies, hangs or is switched off takes its sessions along, and lets nobody in. */
export function goneSuite(site: () => World): void {
  describe('when a part is gone', () => {
    it('gateway killed: its sessions end, and a new one lets in again', async () => {
      const { person, live } = await connected(site(), 'gateway-gone');
      const gateway = gatewayOf(site().service.pid);
      const ended = await endsSoon(live, () => process.kill(gateway, 'SIGKILL'));
      expect(ended.stderr).not.toMatch(/disabled/);
      // Nobody is sent to the dead one: there is none (69), or the next.
      expect([69, 8]).toContain((await person.sft(...SSH, '--', 'exit 8')).code);
      await until(async () => (await person.sft(...SSH, '--', 'exit 8')).code === 8);
    });

    it('service silent: the session ends with its lease, and nobody is let in', async () => {
      const { person, live } = await connected(site(), 'lease');
      process.kill(site().service.pid, 'SIGSTOP');
      try {
        const ended = await endsSoon(live, () => undefined);
        expect(ended.stderr).toMatch(/policy service cannot be reached/);
      } finally {
        process.kill(site().service.pid, 'SIGCONT');
      }
      await until(async () => (await person.sft(...SSH, '--', 'exit 8')).code === 8);
    }, 120_000);

    it('service killed: the session ends, 69 while it is away, and what was approved stays', async () => {
      const { person, live } = await connected(site(), 'killed');
      await endsSoon(live, () => site().service.stop('SIGKILL'));
      const away = await again(person);
      expect(away).toMatchObject({ code: 69, stdout: '' });
      expect(away.stderr).toMatch(/^sft: .*cannot be reached.*\n.+\n$/);
      site().service = await site().service.restart();
      // The service answers before its gateway, a process of its own, is there again.
      await until(async () => (await person.sft(...SSH, '--', 'exit 9')).code === 9);
    }, 300_000);

    it('gateway disabled: its sessions are cut, and the next connection is refused', async () => {
      const { person, live } = await connected(site(), 'gateway-off');
      await cuts(live, /gateway/, async () => {
        const gateways = await restOf(site().service, site().people.pat.token)<
          Answer<'listGateways'>
        >('GET', '/gateways');
        const active = gateways.body.list.find((one) => one.state === 'ACTIVE');
        const off = await site().people.pat.admin('gateways', 'disable', active?.id ?? 'built-in');
        expect(off.code).toBe(0);
      });
      const refused = await again(person);
      expect(refused.stdout).toBe('');
      expect([69, 255]).toContain(refused.code);
    });
  });
}
