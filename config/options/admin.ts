/** The table `[admin]`: signed admin messages (docs/admin.md), for nodes and for the operators who send them. */
import { option, path } from '../option.ts';

export const admin = {
  'keys-file': option(path().optional(), {
    doc: 'For a node: the public keys of the operators whose messages over NATS it obeys, a JWK Set that `homing admin keygen --allow` and `homing admin allow` add to. Read at each message. Absent: it hears none.',
    fallback: 'none',
    example: '/etc/homing/admin-keys.json',
  }),
  'key-file': option(path().optional(), {
    doc: 'For an operator: the private key that `homing admin` signs with. Absent: it speaks to the node on this machine, over its control socket.',
    fallback: 'none',
    example: './boss.key',
  }),
  'answers-key-file': option(path().optional(), {
    doc: "For an operator: the public key of the cluster's answers, as `homing admin answer-key` prints it on a node. Not needed where the cluster key can be read.",
    fallback: 'derived from the cluster key',
    example: './demo.answers',
  }),
} as const;
