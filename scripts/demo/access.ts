import { heading, remark } from './screen.ts';
import { type } from './typist.ts';
import type { DemoWorld } from './world.ts';

/** Use case 1: an access request as a condition of a policy. */
export async function access(world: DemoWorld): Promise<void> {
  heading('1–3. Ellis asks for the server; an approval is needed, and is requested');
  await type(world, 'ellis', 'sft', ['list-servers'], 0);
  const raised = await type(
    world,
    'ellis',
    'sft',
    ['ssh', 'opa-demo-linux', '--account', 'pamadmin1', '--reason', 'rotate the logs', '--', 'id'],
    75,
  );
  const id = /Request ([0-9a-f-]{36})/.exec(raised)?.[1];
  if (id === undefined) throw new Error('the client printed no request id');

  heading('4–5. Dana, his manager, is asked; she reads it and approves');
  await type(world, 'dana', 'sft-admin', ['requests', 'list'], 0);
  await type(world, 'dana', 'sft-admin', ['approve', id, '--reason', 'go ahead'], 0);

  heading('6–7. Ellis asks again: policy is evaluated again, and lets him in as pamadmin1');
  const command = ['ssh', 'opa-demo-linux', '--account', 'pamadmin1', '--'];
  await type(world, 'ellis', 'sft', [...command, 'echo "I am $LOGNAME"; id -un'], 0);
  await type(world, 'ellis', 'sft', [...command, 'exit 7'], 7);

  heading('Afterwards: he gives it up, and is asked for an approval again');
  await type(world, 'ellis', 'sft', ['drop', id], 0);
  await type(world, 'ellis', 'sft', ['request', 'show', id], 0);

  heading('On the record: Uma, the auditor, reads who did what');
  await type(world, 'uma', 'sft-admin', ['sessions', 'list'], 0);
  await type(world, 'uma', 'sft-admin', ['log', 'search', '--request', id], 0);
  remark('The password of pamadmin1 never left the service and the gateway.');
}
