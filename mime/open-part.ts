/**
 * A part while its end has not come: what its header section says of it (RFC 2045 §4 to §6, RFC 2046 §5), and its way into
 * the plain data of structure.ts and the wire forms. Where it ends is the parser's to find.
 */
import type { Content, Described } from './body-structure.ts';
import {
  type ContentType,
  parameter,
  parseContentType,
  parseDisposition,
  parseLanguages,
  parseTransferEncoding,
} from './content-fields.ts';
import { type Allowance, ENVELOPE_FIELDS, envelope } from './envelope.ts';
import { type Budget, FieldCollector } from './field-collector.ts';
import { Scanner } from './scanner.ts';
import { type HeaderValues, MAX_VALUE_OCTETS, type Part } from './structure.ts';

/** A message has an envelope; a body part is MIME even without saying so (RFC 2046 §5.1). */
export type Role = 'message' | 'body-part' | 'digest-part';

/** What the whole message may still hold. */
export type Limits = { readonly budget: Budget; readonly allowance: Allowance };

export class OpenPart {
  readonly role: Role;
  from: number;
  /** Where its header section ends and its body begins, and how many LFs came before; set by `understand`. */
  body = 0;
  linesBefore = 0;
  to = 0;
  lines = 0;
  kind: Part['kind'] = 'leaf';
  content: Content = { languages: [] };
  /** ENVELOPE of a message, once its header section has ended. */
  envelope = '';
  readonly children: OpenPart[] = [];
  readonly #limits: Limits;
  #fields: FieldCollector | undefined;

  constructor(role: Role, from: number, limits: Limits) {
    this.role = role;
    this.from = from;
    this.#limits = limits;
    this.#fields = new FieldCollector(new Set(wantedFor(role)), limits.budget);
  }

  /** Collects its header section; none once that is understood. */
  get fields(): FieldCollector | undefined {
    return this.#fields;
  }

  /** The part that a stand-in gives a multipart without any: text/plain (RFC 2045 §5.2), of no octets. */
  static standIn(at: number, limits: Limits): OpenPart {
    const part = new OpenPart('body-part', at, limits);
    part.understand(false);
    part.body = at;
    part.to = at;
    return part;
  }

  /**
   * The header section has ended: what is it?
   * @param mayNest  it may hold further parts
   * @returns the values of a message's fields
   */
  understand(mayNest: boolean): HeaderValues {
    const fields = this.#fields;
    if (fields === undefined) return {};
    this.#fields = undefined;
    fields.end();
    const isMime =
      this.role !== 'message' ||
      fields.first('mime-version') !== undefined ||
      fields.first('content-type') !== undefined;
    if (isMime) this.content = this.#contentOf(fields);
    this.kind = kindOf(this.content.type);
    const isEncoded = this.kind === 'message' && !IDENTITIES.includes(encodingOf(this.content));
    if (this.kind !== 'leaf' && (!mayNest || isEncoded)) this.#becomeOpaque();
    if (this.role !== 'message') return {};
    this.envelope = envelope(fields, this.#limits.allowance);
    return valuesOf(fields);
  }

  /** A multipart's delimiter, if its header section names one. */
  get boundary(): string | undefined {
    if (this.kind !== 'multipart') return undefined;
    return parameter(this.content.type?.parameters ?? [], 'boundary') || undefined;
  }

  get partRole(): Role {
    return this.content.type?.subtype.toLowerCase() === 'digest' ? 'digest-part' : 'body-part'; // RFC 2046 §5.1.5
  }

  /** @param to  maybe before what looked like the end of its header section: then it has no body */
  end(to: number, linesBefore: number): void {
    this.from = Math.min(this.from, to);
    this.body = Math.min(this.body, to);
    this.to = to;
    this.lines = Math.max(0, linesBefore - this.linesBefore);
    if (this.kind === 'multipart' && this.children.length === 0) this.children.push(OpenPart.standIn(to, this.#limits));
  }

  toPart(): Part {
    const { from, body, to, lines, kind, content } = this;
    const charset = isText(content.type) ? parameter(content.type?.parameters ?? [], 'charset') : undefined;
    return {
      from,
      body,
      to,
      lines,
      kind,
      parts: this.children.map((child) => child.toPart()),
      type: `${content.type?.type ?? 'text'}/${content.type?.subtype ?? 'plain'}`.toLowerCase(),
      ...(charset !== undefined && { charset }),
      encoding: encodingOf(content),
    };
  }

  describe(): Described {
    const { kind, content, lines, envelope } = this;
    const children = this.children.map((child) => child.describe());
    return { kind, content, sizeOctets: this.to - this.body, lines, children, envelope };
  }

  /** Of several equal fields the first: RFC 2045 §3 allows one. */
  #contentOf(fields: FieldCollector): Content {
    const read = <T>(name: string, parse: (value: Scanner) => T): T | undefined => {
      const text = fields.first(name);
      if (text === undefined) return undefined;
      const value = new Scanner(text);
      const parsed = parse(value);
      this.#limits.allowance.steps += value.steps;
      return parsed;
    };
    const isUntyped = this.role === 'digest-part' && fields.first('content-type') === undefined;
    return {
      type: isUntyped ? MESSAGE : read('content-type', parseContentType),
      encoding: read('content-transfer-encoding', parseTransferEncoding),
      id: fields.first('content-id'),
      description: fields.first('content-description'),
      md5: fields.first('content-md5'),
      disposition: read('content-disposition', parseDisposition),
      languages: read('content-language', parseLanguages) ?? [],
      location: fields.first('content-location'),
    };
  }

  #becomeOpaque(): void {
    this.kind = 'leaf';
    this.content = { ...this.content, type: { ...this.content.type!, type: 'application', subtype: 'octet-stream' } };
  }
}

const CONTENT_FIELDS = [
  'mime-version',
  'content-type',
  'content-transfer-encoding',
  'content-id',
  'content-description',
  'content-md5',
  'content-disposition',
  'content-language',
  'content-location',
] as const;

const wantedFor = (role: Role): readonly string[] =>
  role === 'message' ? [...CONTENT_FIELDS, ...ENVELOPE_FIELDS, 'references'] : CONTENT_FIELDS;

const MESSAGE: ContentType = { type: 'message', subtype: 'rfc822', parameters: [] };

const isText = (type: ContentType | undefined): boolean => type === undefined || type.type.toLowerCase() === 'text';

const encodingOf = (content: Content): string => content.encoding?.toLowerCase() ?? '7bit';

/** RFC 2045 §6.2: what is encoded so can be read as it stands. */
const IDENTITIES = ['7bit', '8bit', 'binary'];

function kindOf(content: ContentType | undefined): Part['kind'] {
  const type = content?.type.toLowerCase();
  if (type === 'multipart') return 'multipart';
  const subtype = content?.subtype.toLowerCase();
  return type === 'message' && (subtype === 'rfc822' || subtype === 'global') ? 'message' : 'leaf';
}

function valuesOf(fields: FieldCollector): HeaderValues {
  const one = (name: string) => atMost(fields.last(name));
  const several = (name: string) => atMost(fields.all(name).length === 0 ? undefined : fields.all(name).join(', '));
  const references = fields.last('references');
  const values: HeaderValues = {
    date: one('date'),
    subject: one('subject'),
    from: several('from'),
    to: several('to'),
    cc: several('cc'),
    messageId: one('message-id'),
    references: atMost(references?.slice(-MAX_VALUE_OCTETS)), // the last are the nearest
    inReplyTo: one('in-reply-to'),
  };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function atMost(value: string | undefined): Uint8Array | undefined {
  return value === undefined ? undefined : new Uint8Array(Buffer.from(value.slice(0, MAX_VALUE_OCTETS), 'latin1'));
}
