import type { Socket } from 'node:net';
import type { ClientChannel } from 'ssh2';
import { NO_AUTHENTICATION, readGreeting, readRequest, socksReply } from './socks.ts';

type Opener = (
  host: string,
  port: number,
  done: (channel: ClientChannel | undefined) => void,
) => void;

/** Far more than the longest greeting and request together. */
const MAX_HEAD = 1024;

/** One connection of a SOCKS client: greeting, request, then bytes both ways. */
export function serveSocks(socket: Socket, open: Opener): void {
  let head = Buffer.alloc(0);
  let greeted = false;
  const end = (reply: Buffer) => {
    socket.off('data', onData);
    socket.end(reply);
  };
  const onData = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk]);
    if (head.length > MAX_HEAD) return end(socksReply('failure'));
    if (!greeted) {
      const greeting = readGreeting(head);
      if (greeting.kind === 'more') return;
      if (greeting.kind === 'bad') return end(greeting.reply);
      greeted = true;
      head = head.subarray(greeting.length);
      socket.write(NO_AUTHENTICATION);
    }
    const request = readRequest(head);
    if (request.kind === 'more') return;
    if (request.kind === 'bad') return end(request.reply);
    socket.off('data', onData);
    socket.pause();
    const early = head.subarray(request.length);
    open(request.value.host, request.value.port, (channel) => {
      if (channel === undefined) return end(socksReply('refused'));
      socket.write(socksReply('succeeded'));
      if (early.length > 0) channel.write(early);
      socket.pipe(channel).pipe(socket);
      socket.on('close', () => channel.close());
      channel.on('close', () => socket.destroySoon());
    });
  };
  socket.on('data', onData);
  socket.resume();
}
