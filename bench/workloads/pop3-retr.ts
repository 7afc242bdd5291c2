/** A POP3 session that retrieves twenty messages of 10 kB. */
import { LmtpClient } from '../clients/lmtp.ts';
import { Pop3Client } from '../clients/pop3.ts';
import { sampleMessage, type Workload } from './workload.ts';

const MESSAGES = 20;

export const pop3Retr: Workload = {
  clients: 20,
  unit: 'messages',
  unitsPerOperation: MESSAGES,
  async prepare({ pop3, lmtp, accounts }) {
    const delivery = await LmtpClient.connect(lmtp);
    const names = accounts.slice(0, pop3Retr.clients).map(({ name }) => name);
    for (let number = 0; number < MESSAGES; number++)
      for (const { code, lines } of await delivery.deliver('bench@example.test', names, sampleMessage(10_000, number)))
        if (code !== 250) throw new Error(lines[0]);
    await delivery.quit();
    return {
      operation: async (client) => {
        const { name, secret } = accounts[client]!;
        const session = await Pop3Client.connect(pop3);
        try {
          await session.logIn(name, secret);
          const { messages } = await session.stat();
          if (messages !== MESSAGES) throw new Error(`${messages} messages in the maildrop`);
          for (let message = 1; message <= MESSAGES; message++) await session.retrieve(message);
          await session.quit();
        } finally {
          session.close();
        }
      },
      end: async () => {},
    };
  },
};
