/**
 * The control socket, `ipc/control` in the data directory, mode 0600: how the command line reaches a running node.
 * One JSON request a line, one JSON answer a line. Whoever can open the socket may do all that an administrator may.
 */
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import type { Log } from '../telemetry/log.ts';
import type { ControlAnswer, ControlRequest, Verbs } from './control.ts';

const MAX_REQUEST_OCTETS = 1024 * 1024;

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
    void answerEach(socket, verbs, log);
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
  let octets = 0;
  socket.on('data', (bytes: Buffer) => {
    octets = bytes.includes(10) ? 0 : octets + bytes.length;
    if (octets > MAX_REQUEST_OCTETS) socket.destroy();
  });
  for await (const line of createInterface({ input: socket })) {
    const answer = await answerOne(line, verbs, log);
    if (!socket.writable) return;
    socket.write(JSON.stringify(answer) + '\n');
  }
}

async function answerOne(line: string, verbs: Verbs, log: Log): Promise<ControlAnswer> {
  let request: ControlRequest;
  try {
    request = JSON.parse(line) as ControlRequest;
  } catch {
    return { ok: false, errors: ['the control socket takes JSON, one request a line'] };
  }
  const verb = verbs[request.verb];
  if (!verb) return { ok: false, errors: [`this server does not know the verb ${JSON.stringify(request.verb)}`] };
  try {
    return await verb(request.arguments ?? {});
  } catch (error) {
    log.error('a control verb failed', { verb: request.verb, error });
    return { ok: false, errors: [`${request.verb}: internal fault, see the server's log`] };
  }
}
