/** A whole POP3 session that only logs in: connect, USER, PASS, STAT, QUIT. Each client has an account of its own. */
import { Pop3Client } from '../clients/pop3.ts';
import type { Workload } from './workload.ts';

export const pop3Login: Workload = {
  clients: 50,
  unit: 'sessions',
  unitsPerOperation: 1,
  async prepare({ pop3, accounts, resumes }) {
    const kept = accounts.map(() => ({}));
    let [sessions, resumed] = [0, 0];
    return {
      operation: async (client) => {
        const { name, secret } = accounts[client]!;
        const session = await Pop3Client.connect(resumes ? { ...pop3, resumption: kept[client]! } : pop3);
        sessions++;
        if (session.wire.tls?.isSessionReused()) resumed++;
        try {
          await session.logIn(name, secret);
          await session.stat();
          await session.quit();
        } finally {
          session.close();
        }
      },
      resumedShare: () => resumed / Math.max(1, sessions),
      end: async () => {},
    };
  },
};
