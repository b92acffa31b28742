import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Appender, openFile, type Sink } from '../src/appender.ts';
import { CastLines, CastText } from '../src/cast.ts';
import { castPath, eventsPath, openRecording, type RecordingWorld } from '../src/recording.ts';

const FACTS = {
  session_id: '00000000-0000-7000-8000-00000000000a',
  user_name: 'ana',
  server_name: 'opa-demo-linux',
  identity: 'pamadmin1',
  request_id: null,
  client_address: '192.0.2.7',
};

let directory: string;
let at = 0;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'postern-recording-'));
  at = 1000;
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const world = (more: Partial<RecordingWorld> = {}): RecordingWorld => ({
  directory,
  openSink: openFile,
  monotonic: () => at,
  now: () => 1_790_000_000_000,
  commandBytes: 10,
  ...more,
});
const lines = () =>
  readFileSync(castPath(directory, FACTS.session_id), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const TERMINAL = { cols: 100, rows: 30, type: 'xterm' };

describe('a recording', () => {
  test('is asciicast v3 with who and where in its header, and its hash is that of the file', async () => {
    const recording = await openRecording(FACTS, world(), () => {});
    const track = recording.track(1, TERMINAL, false);
    at = 1250;
    await track.output(Buffer.from('hello\r\n'), false);
    at = 1600;
    track.resize(120, 40);
    await track.output(Buffer.from('oops'), true);
    track.exit(3);
    const digest = await recording.finish();
    expect(lines()).toEqual([
      {
        version: 3,
        term: { cols: 100, rows: 30, type: 'xterm' },
        timestamp: 1_790_000_000,
        title: 'ana as pamadmin1 on opa-demo-linux',
        postern: FACTS,
      },
      [0.25, 'o', 'hello\r\n'],
      [0.35, 'r', '120x40'],
      [0, 'o', 'oops'],
      [0, 'x', '3'],
    ]);
    const bytes = readFileSync(castPath(directory, FACTS.session_id));
    expect(digest).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  test('is readable by its owner alone', async () => {
    const recording = await openRecording(FACTS, world(), () => {});
    await recording.finish();
    expect(statSync(castPath(directory, FACTS.session_id)).mode & 0o777).toBe(0o600);
    expect(statSync(eventsPath(directory, FACTS.session_id)).mode & 0o777).toBe(0o600);
  });

  test('deny: never continues or follows a file that is there', async () => {
    writeFileSync(castPath(directory, FACTS.session_id), 'mine');
    await expect(openRecording(FACTS, world(), () => {})).rejects.toThrow(/EEXIST/);
    expect(readFileSync(castPath(directory, FACTS.session_id), 'utf8')).toBe('mine');
  });

  test('does not break a character that two chunks share', async () => {
    const recording = await openRecording(FACTS, world(), () => {});
    const track = recording.track(1, TERMINAL, false);
    const euro = Buffer.from('€');
    await track.output(euro.subarray(0, 1), false);
    await track.output(Buffer.from('!'), true);
    await track.output(euro.subarray(1), false);
    await track.output(euro.subarray(0, 2), false);
    await recording.finish();
    expect(lines().slice(1)).toEqual([
      [0, 'o', '!'],
      [0, 'o', '€'],
      [0, 'o', '\ufffd'],
    ]);
  });

  test('keeps a command without a terminal up to a size, and says so', async () => {
    const recording = await openRecording(FACTS, world(), () => {});
    const track = recording.track(1, { cols: 80, rows: 24, type: '' }, true);
    await track.output(Buffer.from('123456'), false);
    await track.output(Buffer.from('789012345'), false);
    expect(track.output(Buffer.from('more'), false)).toBeUndefined();
    await recording.finish();
    expect(lines().slice(1)).toEqual([
      [0, 'o', '123456'],
      [0, 'o', '7890'],
      [0, 'm', 'channel 1: the rest of the output is not recorded'],
    ]);
  });

  test('announces whose output follows when channels alternate', async () => {
    const recording = await openRecording(FACTS, world(), () => {});
    const one = recording.track(1, TERMINAL, false);
    const two = recording.track(2, { cols: 80, rows: 24, type: '' }, true);
    await one.output(Buffer.from('a'), false);
    await two.output(Buffer.from('b'), false);
    await one.output(Buffer.from('c'), false);
    await recording.finish();
    expect(
      lines()
        .slice(1)
        .map(([, code, data]) => `${code} ${data}`),
    ).toEqual(['o a', 'm channel 2', 'o b', 'm channel 1', 'o c']);
  });

  test('full disk: the failure is reported once, and every later write fails', async () => {
    const failures: unknown[] = [];
    let room = 2;
    const full = async (): Promise<Sink> => ({
      append: async () => {
        room -= 1;
        if (room < 0) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      },
      close: async () => {},
    });
    const recording = await openRecording(FACTS, world({ openSink: full }), (e) =>
      failures.push(e),
    );
    const track = recording.track(1, TERMINAL, false);
    await track.output(Buffer.from('fits'), false);
    await expect(track.output(Buffer.from('does not'), false)).rejects.toThrow('full');
    await expect(track.output(Buffer.from('nor this'), false)).rejects.toThrow('full');
    await expect(recording.finish()).rejects.toThrow('full');
    expect(failures).toEqual([expect.objectContaining({ code: 'ENOSPC' })]);
  });
});

describe('writing', () => {
  test('in order; what comes during a write goes out with the next', async () => {
    const writes: string[] = [];
    const sink: Sink = {
      append: async (bytes) => {
        await new Promise((resolve) => setTimeout(resolve, 2));
        writes.push(bytes.toString());
      },
      close: async () => {},
    };
    const appender = new Appender(sink);
    const all = ['a', 'b', 'c', 'd'].map((text) => appender.append(text));
    await Promise.all(all);
    expect(writes).toEqual(['a', 'bcd']);
    expect(await appender.close()).toBe(createHash('sha256').update('abcd').digest('hex'));
    await expect(appender.append('late')).rejects.toThrow('closed');
  });

  test('intervals do not drift', () => {
    const cast = new CastLines(0);
    let sum = 0;
    for (let i = 1; i <= 1000; i += 1) sum += JSON.parse(cast.line(i * 1.4, 'o', 'x'))[0];
    expect(sum).toBeCloseTo(1.4, 6);
  });

  test('bytes that are no text become U+FFFD', () => {
    expect(new CastText().take(Buffer.from([0xff, 0x41]))).toBe('\ufffdA');
  });
});
