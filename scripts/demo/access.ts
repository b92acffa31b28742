import type { Person } from '../../e2e/world/people.ts';
import { heading, remark, show } from './screen.ts';
import type { DemoWorld } from './world.ts';

/** Use case 1: an access request as a condition of a policy. */
export async function access({ people }: DemoWorld): Promise<void> {
  const { ellis, dana, uma } = people;
  const type = typist();

  heading('1–3. Ellis asks for the server; an approval is needed, and is requested');
  await type('ellis', ellis, 'sft', ['list-servers'], 0);
  const raised = await type(
    'ellis',
    ellis,
    'sft',
    ['ssh', 'opa-demo-linux', '--account', 'pamadmin1', '--reason', 'rotate the logs', '--', 'id'],
    75,
  );
  const id = /Request ([0-9a-f-]{36})/.exec(raised)?.[1];
  if (id === undefined) throw new Error('the client printed no request id');

  heading('4–5. Dana, his manager, is asked; she reads it and approves');
  await type('dana', dana, 'sft-admin', ['requests', 'list'], 0);
  await type('dana', dana, 'sft-admin', ['approve', id, '--reason', 'go ahead'], 0);

  heading('6–7. Ellis asks again: policy is evaluated again, and lets him in as pamadmin1');
  const command = ['ssh', 'opa-demo-linux', '--account', 'pamadmin1', '--'];
  await type('ellis', ellis, 'sft', [...command, 'echo "I am $LOGNAME"; id -un'], 0);
  await type('ellis', ellis, 'sft', [...command, 'exit 7'], 7);

  heading('Afterwards: he gives it up, and is asked for an approval again');
  await type('ellis', ellis, 'sft', ['drop', id], 0);
  await type('ellis', ellis, 'sft', ['request', 'show', id], 0);

  heading('On the record: Uma, the auditor, reads who did what');
  await type('uma', uma, 'sft-admin', ['sessions', 'list'], 0);
  await type('uma', uma, 'sft-admin', ['log', 'search', '--request', id], 0);
  remark('The password of pamadmin1 never left the service and the gateway.');
}

/** Types a command as somebody; anything but the expected exit status ends the walk. */
function typist() {
  return async (
    who: string,
    person: Person,
    file: 'sft' | 'sft-admin',
    args: readonly string[],
    expected: number,
  ): Promise<string> => {
    const ran = await person.run(file, args);
    const shown = args.map((arg) => (/^[\w./:=@-]+$/.test(arg) ? arg : `'${arg}'`)).join(' ');
    show(who, `${file} ${shown}`, ran);
    if (ran.code !== expected)
      throw new Error(`${file} ended with ${ran.code}; ${expected} was expected`);
    return ran.stdout + ran.stderr;
  };
}
