import { EXIT } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import { script } from '../fake/script.ts';
import { problem } from '../fake/service.ts';
import { at, id } from '../fake/things.ts';

const { service, admin } = script();

const CODE = 'pcl_AAAAAAAAAAAAAAAAAAAAAA';
const LINK = {
  id: id(80),
  user: { id: id(81), name: 'Dana\u001b[31m Reyes' },
  chat: 'slack' as const,
  workspace_id: 'T0DEMO',
  chat_user_id: 'U0DANA',
  issued_by: { id: id(82), name: 'Pat Moreau' },
  created_at: at(0),
};

describe('sft-admin chat', () => {
  test('link: what to type, and until when', async () => {
    service().on('createChatLink', () => ({
      status: 201,
      body: { code: CODE, expires_at: at(600_000) },
    }));
    const { out, exit } = await admin('chat link');
    expect(exit).toBe(EXIT.ok);
    expect(out).toContain(`  /postern link ${CODE}\n`);
  });

  test('link where no chat is set up: refused', async () => {
    service().on('createChatLink', () => problem('state_conflict', 'No chat is set up here.'));
    expect((await admin('chat link')).exit).toBe(EXIT.refused);
  });

  test('list: whose, where, and whose token it was made with', async () => {
    service().on('listChatLinks', () => ({ body: { list: [LINK] } }));
    const { out } = await admin('chat list');
    for (const text of ['Dana\ufffd[31m Reyes', 'T0DEMO', 'U0DANA', 'Pat Moreau'])
      expect(out).toContain(text);
  });

  test('unlink', async () => {
    service().on('deleteChatLink', () => ({ status: 204, body: null }));
    expect((await admin(`chat unlink ${id(80)}`)).out).toBe(`The link ${id(80)} has ended.\n`);
    expect(service().last('deleteChatLink').params).toMatchObject({ id: id(80) });
  });
});
