/** Delivery of messages of 10 kB, each client on one LMTP connection, to an account of its own. */
import { LmtpClient } from '../clients/lmtp.ts';
import { sampleMessage, type Workload } from './workload.ts';

export const lmtpDeliver: Workload = {
  clients: 20,
  unit: 'messages',
  unitsPerOperation: 1,
  async prepare({ lmtp, accounts }) {
    const connections = await Promise.all(Array.from({ length: lmtpDeliver.clients }, () => LmtpClient.connect(lmtp)));
    let number = 0;
    return {
      operation: async (client) => {
        const message = sampleMessage(10_000, number++);
        const [answer] = await connections[client]!.deliver('bench@example.test', [accounts[client]!.name], message);
        if (answer!.code !== 250) throw new Error(answer!.lines[0]);
      },
      end: async () => {
        for (const connection of connections) await connection.quit();
      },
    };
  },
};
