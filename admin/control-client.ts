/** The command line's end of the control socket (control-server.ts). */
import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { type ControlAnswer, type ControlRequest, cannot } from './control.ts';

export type ControlClient = {
  ask(request: ControlRequest): Promise<ControlAnswer>;
  close(): void;
};

/** Connects to a running server's control socket; undefined when nobody listens there. */
export async function connectControl(path: string): Promise<ControlClient | undefined> {
  const socket = await connect(path);
  if (socket === undefined) return undefined;
  const answers = createInterface({ input: socket })[Symbol.asyncIterator]();
  return {
    async ask(request) {
      socket.write(JSON.stringify(request) + '\n');
      try {
        const { value, done } = await answers.next();
        if (!done) return JSON.parse(value) as ControlAnswer;
      } catch {
        // the connection broke (ECONNRESET, EPIPE), or broke in the middle of an answer: there is none to read
      }
      return cannot('the server went away before it answered: the change may stand or not');
    },
    close: () => socket.destroy(),
  };
}

function connect(path: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.on('error', () => socket.destroy()); // `ask` says that the server went away
      resolve(socket);
    });
    socket.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ENOENT' || error.code === 'ECONNREFUSED' ? resolve(undefined) : reject(error),
    );
  });
}
