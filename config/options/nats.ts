/** The table `[nats]`: how a node reaches its cluster. */
import { list, option, path, text, unshownText } from '../option.ts';

const SERVER = /^((nats|tls):\/\/)?([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$/;

export const nats = {
  servers: option(
    list(
      unshownText(SERVER, 'host:port or tls://host:port, without a user or password', 'server'),
      'list of servers',
      'a list of at least one host:port',
    ),
    {
      doc: 'NATS servers, tried in turn: `host:port` or `tls://host:port`.',
      example: ['127.0.0.1:4222'],
    },
  ),
  cluster: option(text(/^[A-Za-z0-9_-]{1,32}$/, 'up to 32 letters, digits, "-" and "_"', 'name'), {
    doc: 'Name of the cluster: the same on every node. Clusters of different names may share NATS servers.',
    example: 'demo',
  }),
  'cluster-key-file': option(path().optional(), {
    doc: 'The key that seals every frame between the nodes: the same on every node. The first `homing init` makes it.',
    fallback: '`cluster.key` in `data`',
    example: './var/cluster.key',
  }),
  'credentials-file': option(path().optional(), {
    doc: 'NATS credentials (JWT and seed). Not together with `user`.',
    fallback: 'none',
  }),
  user: option(text(/^[\x21-\x7e]+$/, 'printable ASCII without spaces', 'string').optional(), {
    doc: 'User name for NATS; needs `password-file`.',
    fallback: 'none',
  }),
  'password-file': option(path().optional(), {
    doc: 'File whose first line is the password of `user`. A password is never written into this configuration itself.',
    fallback: 'none',
  }),
  'tls-ca-file': option(path().optional(), {
    doc: 'PEM certificates that the NATS servers are checked against; with any `tls-` option the connection must be TLS.',
    fallback: "the runtime's own",
  }),
  'tls-certificate-file': option(path().optional(), {
    doc: 'PEM certificate that this node shows to the NATS servers; needs `tls-key-file`.',
    fallback: 'none',
  }),
  'tls-key-file': option(path().optional(), {
    doc: 'PEM private key of `tls-certificate-file`.',
    fallback: 'none',
  }),
} as const;
