/**
 * The control socket, `ipc/control` in the data directory, mode 0600: how the command line reaches a running node.
 * One JSON request a line, one JSON answer a line. Whoever can open the socket may do all that an administrator may.
 */
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { dirname } from 'node:path';
import type { Log } from '../telemetry/log.ts';
import { type ControlAnswer, cannot, type Verbs } from './control.ts';

/** A longer line is refused, and let go by without being kept. */
const MAX_REQUEST_OCTETS = 1024 * 1024;
const LF = 10;

export type ControlServer = { close(): Promise<void> };

/** Serves the verbs. The caller holds the data directory's lock, so that a socket file found here is a dead one's. */
export async function serveControl(path: string, verbs: Verbs, log: Log): Promise<ControlServer> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  rmSync(path, { force: true });
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy()); // the command went away: nobody is left to tell
    answerEach(socket, verbs, log).catch((error: Error) => {
      log.warn('a control connection broke', { reason: error.message }); // EPIPE: the command went away while it was answered
      socket.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve());
  });
  chmodSync(path, 0o600);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

async function answerEach(socket: Socket, verbs: Verbs, log: Log): Promise<void> {
  for await (const line of requestLines(socket)) {
    const answer =
      line === 'too long'
        ? cannot(`request too long: the control socket takes at most ${MAX_REQUEST_OCTETS} octets a line`)
        : await answerOne(line.request, verbs, log);
    if (!socket.writable) return;
    socket.write(JSON.stringify(answer) + '\n');
  }
}

type RequestLine = { readonly request: string } | 'too long';

/** Never keeps more than one request and one read; a line too long is told once, when it becomes so. */
async function* requestLines(socket: AsyncIterable<Buffer>): AsyncGenerator<RequestLine, void, void> {
  let parts: Buffer[] = [];
  let octets = 0;
  for await (const read of socket) {
    for (let rest = read; rest.length > 0; ) {
      const end = rest.indexOf(LF);
      const part = end < 0 ? rest : rest.subarray(0, end);
      const wasTooLong = octets > MAX_REQUEST_OCTETS;
      octets += part.length;
      if (octets <= MAX_REQUEST_OCTETS) parts.push(part);
      else parts = [];
      if (octets > MAX_REQUEST_OCTETS && !wasTooLong) yield 'too long';
      if (end < 0) break;
      if (octets <= MAX_REQUEST_OCTETS) yield { request: Buffer.concat(parts).toString('utf8') };
      parts = [];
      octets = 0;
      rest = rest.subarray(end + 1);
    }
  }
}

/** Whatever the line is, there is an answer: a fault in a verb is the log's to tell in full. */
async function answerOne(line: string, verbs: Verbs, log: Log): Promise<ControlAnswer> {
  let request: unknown;
  try {
    request = JSON.parse(line);
  } catch {
    return cannot('the control socket takes JSON, one request a line');
  }
  const verb = isObject(request) ? request['verb'] : undefined;
  if (!isObject(request) || typeof verb !== 'string')
    return cannot('a request is an object with a "verb" and, if it takes any, "arguments"');
  const { arguments: given = {} } = request;
  if (!isObject(given)) return cannot(`${verb}: "arguments" must be an object`);
  const known = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  if (!known) return cannot(`this server does not know the verb ${JSON.stringify(verb)}`);
  try {
    return await known(given);
  } catch (error) {
    log.error('a control verb failed', { verb, error });
    return cannot(`${verb}: internal fault, see the server's log`);
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
