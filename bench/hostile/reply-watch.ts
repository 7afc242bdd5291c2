/**
 * Judges what a server says, octet by octet, as a reader who forgives nothing: POP3 replies (RFC 1939 §3, RFC 2449 §4, RFC
 * 5034 §4), LMTP replies (RFC 5321 §4.2, §4.5.3.1.5, RFC 2034 §4), poppwd's (docs/poppwd.md), TLS records (RFC 8446 §5.1).
 * It knows what was said, not what was asked.
 */
export type Protocol = 'pop3' | 'lmtp' | 'poppwd';

/** POP3: RFC 2449 §4, with its CRLF; LMTP: RFC 5321 §4.5.3.1.5. */
const MAX_REPLY_OCTETS = 512;
/** Of what a multi-line reply holds: RFC 5322 §2.1.1, a dot stuffed before it. */
const MAX_LINE_OCTETS = 1001;
const MAX_RECORD_OCTETS = 16_384 + 256 + 5;
const MOST_COMPLAINTS = 5;

export class ReplyWatch {
  readonly #protocol: Protocol;
  #held: Buffer = Buffer.alloc(0);
  /** POP3: `block` after the first line of a multi-line reply's rest; `perhaps` where one may begin. */
  #block: 'no' | 'perhaps' | 'yes' = 'no';
  /** LMTP: the code of the lines before, of a reply that goes on. */
  #code: string | undefined;
  #isTls = false;
  /** What came cannot be told apart: the rest is not looked at. */
  #isLost = false;
  #replies = 0;
  #refusals = 0;
  #last: 'yes' | 'no' | undefined;
  readonly complaints: string[] = [];

  constructor(protocol: Protocol) {
    this.#protocol = protocol;
  }

  /** Whole replies, the greeting among them. */
  get replies(): number {
    return this.#replies;
  }

  /** Of these, those that say no. */
  get refusals(): number {
    return this.#refusals;
  }

  /** Of the last one. */
  get last(): 'yes' | 'no' | undefined {
    return this.#last;
  }

  /** From now on TLS records alone may come. */
  expectTls(): void {
    this.#isTls = true;
    if (this.#held.length > 0) this.#complain('more was said in clear after TLS was accepted', this.#held);
    this.#held = Buffer.alloc(0);
  }

  push(bytes: Buffer): void {
    if (this.#isLost) return;
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    if (this.#isTls) this.#readRecords();
    else this.#readLines();
  }

  /** The server has closed. What it left unfinished is no reply, and its last one must be whole. */
  end(): void {
    if (this.#isTls) return; // an alert that a reset has cut is as good as none
    if (this.#held.length > 0) this.#complain('a line without its end', this.#held);
    if (this.#block === 'yes') this.#complain('a multi-line reply without its end');
    if (this.#code !== undefined) this.#complain('a reply of several lines without its last');
  }

  #readLines(): void {
    let from = 0;
    for (let end = this.#held.indexOf(10); end >= 0; end = this.#held.indexOf(10, from)) {
      this.#readLine(this.#held.subarray(from, end + 1));
      from = end + 1;
    }
    this.#held = this.#held.subarray(from);
    if (this.#held.length > MAX_LINE_OCTETS) {
      this.#lose('a line too long');
    }
  }

  /** @param line  with its LF */
  #readLine(line: Buffer): void {
    if (line.at(-2) !== 13) this.#complain('a line that ends in a bare LF', line);
    const isStatus = this.#protocol !== 'pop3' || /^(\+OK|-ERR|\+ )/.test(line.toString('latin1', 0, 4));
    if (!isStatus) {
      this.#readOfBlock(line);
      return;
    }
    if (line.length > MAX_REPLY_OCTETS) this.#complain('a reply too long', line);
    const text = line.toString('utf8').replace(/\r?\n$/, '');
    if (text.includes('\uFFFD') || /[\p{Cc}]/u.test(text))
      this.#complain('a reply with controls or broken UTF-8', line);
    if (this.#protocol === 'pop3') this.#readStatus(text);
    else this.#readCoded(text);
  }

  #readStatus(text: string): void {
    if (this.#block === 'yes') this.#complain('a multi-line reply without its end');
    if (!/^(\+OK|-ERR|\+)( .*)?$/.test(text)) this.#complain('not a status indicator', text);
    this.#count(text.startsWith('+') ? 'yes' : 'no');
    this.#block = text.startsWith('+OK') ? 'perhaps' : 'no';
  }

  #readOfBlock(line: Buffer): void {
    if (this.#block === 'no') this.#complain('neither +OK nor -ERR', line);
    this.#block = line.equals(BLOCK_END) ? 'no' : 'yes';
  }

  #readCoded(text: string): void {
    const read = (this.#protocol === 'lmtp' ? LMTP_REPLY : POPPWD_REPLY).exec(text);
    if (read === null) {
      this.#complain('not a reply', text);
      return;
    }
    const [, code, goesOn, enhancedClass] = read;
    if (this.#code !== undefined && this.#code !== code) this.#complain('a reply of two codes', text);
    if (enhancedClass !== undefined && enhancedClass !== code![0])
      this.#complain('an enhanced code of another class', text);
    this.#code = goesOn === '-' ? code : undefined;
    if (this.#code === undefined) this.#count(/^[45]/.test(code!) ? 'no' : 'yes');
  }

  #readRecords(): void {
    while (this.#held.length >= 5) {
      const size = 5 + this.#held.readUInt16BE(3);
      const isRecord = this.#held[0]! >= 20 && this.#held[0]! <= 23 && this.#held[1] === 3 && size <= MAX_RECORD_OCTETS;
      if (!isRecord) this.#lose('not a TLS record');
      if (this.#held.length < size) return;
      this.#held = this.#held.subarray(size);
    }
  }

  #lose(complaint: string): void {
    this.#complain(complaint, this.#held);
    this.#held = Buffer.alloc(0);
    this.#isLost = true;
  }

  #count(answer: 'yes' | 'no'): void {
    this.#replies += 1;
    if (answer === 'no') this.#refusals += 1;
    this.#last = answer;
  }

  #complain(what: string, said: Buffer | string = ''): void {
    if (this.complaints.length >= MOST_COMPLAINTS) return;
    const text = typeof said === 'string' ? said : said.toString('latin1', 0, 80);
    this.complaints.push(text === '' ? what : `${what}: ${JSON.stringify(text.slice(0, 80))}`);
  }
}

const BLOCK_END = Buffer.from('.\r\n');
const LMTP_REPLY = /^([245]\d\d|354)(?:([- ])(?:([245])\.\d{1,3}\.\d{1,3} )?[\x20-\x7e]*)?$/;
const POPPWD_REPLY = /^(200|300|500|501|515)( )[\x20-\x7e]*$/;
