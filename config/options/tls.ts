/** The tables `[tls]` and `[[tls.name]]`: the certificates that clients are shown. */
import { choice, list, option, path, text } from '../option.ts';

/** A host name, or all names one label below one: `*.example.test`. */
const SERVER_NAME =
  /^(\*\.)?[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;

const certificateFiles = {
  'certificate-file': option(path(), {
    doc: 'PEM certificate, and behind it those that lead to its authority. Read again when the file changes.',
    example: './tls/cert.pem',
  }),
  'key-file': option(path(), {
    doc: 'PEM private key of `certificate-file`, without a passphrase. Read again when the file changes.',
    example: './tls/key.pem',
  }),
} as const;

export const tls = {
  ...certificateFiles,
  'minimum-version': option(choice(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2'), {
    doc: 'The oldest version of TLS that is spoken; older ones than 1.2 are never (RFC 8996).',
  }),
  'client-certificates': option(choice(['none', 'request']).default('none'), {
    doc: 'Whether clients are asked for a certificate. One that is shown is named in the log, with whether an authority of `client-ca-file` issued it; nobody is refused for theirs or for having none.',
  }),
  'client-ca-file': option(path().optional(), {
    doc: 'PEM certificates of the authorities that issue client certificates; needed by `client-certificates = "request"`.',
    fallback: 'none',
    example: './tls/clients-ca.pem',
  }),
} as const;

export const tlsName = {
  names: option(
    list(
      text(SERVER_NAME, 'host names such as "mail.example.test" or "*.example.test"', 'host name'),
      'list of host names',
      'a list of at least one host name',
    ),
    {
      doc: 'The host names that clients call this server by (RFC 6066 §3); `*.example.test` is any one label below.',
      example: ['mail.example.test', '*.mail.example.test'],
    },
  ),
  ...certificateFiles,
} as const;
