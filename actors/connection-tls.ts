/**
 * The server's side of a TLS handshake on a socket that is there already: for STARTTLS and STLS in the middle of a session,
 * and for implicit TLS before it. What is done with the socket before and after is actors/connection.ts's.
 *
 * RFC 2595 §2.1 and RFC 3207 §4.2: nothing that came before the handshake may count after it. Certificates: certificates.ts.
 */
import { X509Certificate } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { Certificates } from './certificates.ts';
import { CompressedSocket } from './connection-compression.ts';

export type ConnectionTls = {
  /** `implicit`: before the session's first word (RFC 8314 §3); `starttls`: when the session says so. */
  readonly mode: 'starttls' | 'implicit';
  readonly certificates: Certificates;
};

/** How long a handshake may take: some round trips, and a client that asks its user about our certificate. */
export const HANDSHAKE_MS = 30_000;

/** Of a client's name for itself, in characters: it may be as long as it likes. */
const MAX_SUBJECT = 256;

/** What a handshake came to, for the log: no secret, and no name but the one that the client called. */
export type Handshake = {
  readonly version: string | null;
  readonly serverName?: string;
  /** Of the client's certificate, where one was asked for and shown. */
  readonly client?: { readonly subject: string; readonly fingerprint256: string; readonly isKnown: boolean };
};

/** Does TLS lie between this socket and its client? */
export const isSecured = (socket: Duplex): boolean =>
  socket instanceof CompressedSocket ? isSecured(socket.carrier) : socket instanceof TLSSocket;

/** Drops what was read and not yet looked at, and reads no more in clear. */
export function hush(socket: Duplex): void {
  socket.pause();
  while (socket.readableLength > 0 && socket.read() !== null);
}

/**
 * Begins the handshake. The plain socket must not be used any more; destroying the one returned destroys it too.
 * @param told  called once: with what was agreed on, or with the fault that ended it
 */
export function beginTls(
  socket: Duplex,
  tls: ConnectionTls | undefined,
  told: (end: Handshake | Error) => void,
): Duplex {
  if (tls === undefined) throw new Error('the session wants TLS that it was not offered');
  const { certificates } = tls;
  socket.removeAllListeners('data');
  socket.pause();
  const secured = new TLSSocket(socket, {
    isServer: true,
    secureContext: certificates.main,
    SNICallback: (serverName, done) => done(null, certificates.contextFor(serverName)),
    requestCert: certificates.requestsClients,
    rejectUnauthorized: false, // asked, not demanded: config/schema.ts, `client-certificates`
  });
  // A fault after the handshake: a server's socket of the library's own making tells it by 'error', one made as here does not.
  secured.on('_tlsError', () => secured.destroy());
  let isTold = false;
  const tell = (end: Handshake | Error) => {
    if (isTold) return;
    isTold = true;
    told(end);
  };
  secured.once('secure', () => tell(outcomeOf(secured, certificates)));
  // OpenSSL's messages hold addresses and source files; its codes say as much.
  secured.on('error', ({ code, message }: NodeJS.ErrnoException) => tell(new Error(code ?? message)));
  secured.once('end', () => tell(new Error('the client ended the connection')));
  secured.once('close', () => tell(new Error('the client is gone')));
  return secured;
}

/** A certificate that cannot even be read ends the handshake: no parser of ours has to be right about all of them. */
function outcomeOf(secured: TLSSocket, certificates: Certificates): Handshake | Error {
  try {
    return handshakeOf(secured, certificates);
  } catch (fault) {
    return fault as Error;
  }
}

function handshakeOf(secured: TLSSocket, certificates: Certificates): Handshake {
  const { servername } = secured as { servername?: unknown }; // false or null without SNI, whatever the typings say
  const client = certificates.requestsClients ? secured.getPeerCertificate() : undefined;
  return {
    version: secured.getProtocol(),
    ...(typeof servername === 'string' && servername !== '' && { serverName: servername }),
    ...(client?.raw !== undefined && { client: clientOf(new X509Certificate(client.raw), certificates) }),
  };
}

const clientOf = (certificate: X509Certificate, certificates: Certificates): NonNullable<Handshake['client']> => ({
  subject: certificate.subject.replaceAll('\n', ', ').slice(0, MAX_SUBJECT),
  fingerprint256: certificate.fingerprint256,
  isKnown: certificates.knowsClient(certificate),
});
