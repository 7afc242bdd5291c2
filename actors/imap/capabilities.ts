/** What CAPABILITY tells: what is built, allowed and of use in the state that the session is in. RFC 9051 §6.1.1. Pure. */
import { type Context, mayShowPassword } from './context.ts';

/** In every state. Nothing stands here that does not pass its tests. */
const ALWAYS = [
  'IMAP4rev1', // RFC 3501
  'IMAP4rev2', // RFC 9051
  'ACL', // RFC 4314, with the next
  'RIGHTS=texk',
  'APPENDLIMIT', // RFC 7889 §3
  'BINARY', // RFC 3516
  'CHILDREN', // RFC 3348
  'COMPRESS=DEFLATE', // RFC 4978
  'CONDSTORE', // RFC 7162
  'CREATE-SPECIAL-USE', // RFC 6154 §3
  'ENABLE', // RFC 5161
  'ESEARCH', // RFC 4731
  'ESORT', // RFC 5267 §3
  'ID', // RFC 2971
  'IDLE', // RFC 2177
  'LIST-EXTENDED', // RFC 5258
  'LIST-MYRIGHTS', // RFC 8440
  'LIST-STATUS', // RFC 5819
  'LITERAL+', // RFC 7888
  'METADATA', // RFC 5464
  'MOVE', // RFC 6851
  'MULTIAPPEND', // RFC 3502
  'NAMESPACE', // RFC 2342
  'OBJECTID', // RFC 8474
  'PREVIEW', // RFC 8970
  'QRESYNC', // RFC 7162
  'QUOTA', // RFC 2087, RFC 9208
  'QUOTA=RES-STORAGE',
  'SAVEDATE', // RFC 8514
  'SEARCHRES', // RFC 5182
  'SORT', // RFC 5256
  'SORT=DISPLAY', // RFC 5957
  'SPECIAL-USE', // RFC 6154
  'STATUS=SIZE', // RFC 8438
  'THREAD=ORDEREDSUBJECT', // RFC 5256
  'THREAD=REFERENCES',
  'UIDPLUS', // RFC 4315
  'UNSELECT', // RFC 3691
  'WITHIN', // RFC 5032
] as const;

/** @param isLoggedIn  whether log-ins are over */
export function capabilities(context: Context, isLoggedIn: boolean): readonly string[] {
  const { appendLimitOctets } = context.constants;
  const offered = ALWAYS.map((name) =>
    name === 'APPENDLIMIT' && appendLimitOctets > 0 ? `APPENDLIMIT=${appendLimitOctets}` : name,
  );
  if (isLoggedIn) return context.session.holder.isAdministrator ? [...offered, 'QUOTASET'] : offered;
  return [...offered, ...logInCapabilities(context)];
}

/** X-LOGIN-COMMAND-DISABLED is older than LOGINDISABLED and says the same (I-03). */
const logInCapabilities = (context: Context): readonly string[] => [
  ...(context.tls === 'offered' ? ['STARTTLS'] : []),
  ...(mayShowPassword(context)
    ? ['AUTH=PLAIN', 'SASL-IR'] // RFC 4616, RFC 4959
    : ['LOGINDISABLED', 'X-LOGIN-COMMAND-DISABLED']),
];
