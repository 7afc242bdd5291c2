/** APPEND of messages of 10 kB, each client on one connection, to an account of its own. */
import { openInboxes, sampleMessage, type Workload } from './workload.ts';

export const imapAppend: Workload = {
  clients: 20,
  unit: 'appends',
  unitsPerOperation: 1,
  async prepare(place) {
    const sessions = await openInboxes(place);
    let number = 0;
    return {
      operation: async (client) => {
        const { status, text } = await sessions[client]!.append('INBOX', sampleMessage(10_000, number++));
        if (status !== 'OK') throw new Error(text);
      },
      end: async () => void (await Promise.all(sessions.map((session) => session.logOut()))),
    };
  },
};
