/** Messages of the test's own on which servers may differ: charsets, encodings, nesting, threads, and what is broken. */
import { asMessage, type JudgedMessage } from './judge.ts';

const lines = (...all: readonly string[]): string => all.join('\n');

/** @param headers  lines; those that every message has stand before them */
const mail = (number: number, headers: readonly string[], body: string): string =>
  lines(
    `Message-ID: <${number}@judge.example.test>`,
    `Date: ${['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'][number % 7]}, ${(number % 27) + 1} Feb 2026 1${number % 10}:00:00 +0${number % 5}00`,
    ...headers,
    '',
    body,
  );

const reply = (number: number, to: readonly number[], subject: string): string =>
  mail(
    number,
    [
      `From: Writer ${number % 3} <writer${number % 3}@example.test>`,
      'To: list@example.test',
      `Subject: ${subject}`,
      `In-Reply-To: <${to.at(-1)}@judge.example.test>`,
      `References: ${to.map((each) => `<${each}@judge.example.test>`).join('\n ')}`,
    ],
    `An answer to ${to.join(' and ')}.\n`,
  );

const mixed = (boundary: string, ...parts: readonly string[]): string =>
  lines('preamble', ...parts.map((part) => `--${boundary}\n${part}`), `--${boundary}--`, 'epilogue', '');

const TEXTS: Readonly<Record<string, string>> = {
  plain: mail(
    1,
    ['From: Ann Example <ann@example.test>', 'To: joe@example.test', 'Subject: plans for spring'],
    'The quick brown fox.\n.\n..dots\n',
  ),
  'no subject': mail(2, ['From: ann@example.test'], 'nothing to say\n'),
  'no body': 'Message-ID: <3@judge.example.test>\nFrom: ann@example.test\nSubject: header alone\n\n',
  'no header': '\nonly a body\n',
  'encoded words': mail(
    4,
    [
      'From: =?utf-8?Q?J=C3=B6rg_M=C3=BCller?= <joerg@example.test>',
      'To: =?iso-8859-1?Q?Andr=E9?= <andre@example.test>, "Doe, Jane" <jane@example.test>',
      'Subject: =?utf-8?B?R3LDvMOfZSBhdXMgS8O2bG4=?= and =?koi8-r?B?8NLJ18XU?=',
    ],
    'body\n',
  ),
  'quoted printable': mail(
    5,
    [
      'From: ann@example.test',
      'Subject: quoted',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=iso-8859-1',
      'Content-Transfer-Encoding: quoted-printable',
    ],
    'Gr=FC=DFe aus K=F6ln, eine lange=\nZeile\n',
  ),
  'base64 in Russian': mail(
    6,
    [
      'From: ann@example.test',
      'Subject: =?koi8-r?Q?=ED=C9=D2?=',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=koi8-r',
      'Content-Transfer-Encoding: base64',
    ],
    '8NLJ18XULCDNydIhCg==\n',
  ),
  'Japanese by ISO-2022-JP': mail(
    7,
    [
      'From: ann@example.test',
      'Subject: =?iso-2022-jp?B?GyRCRnxLXBsoQg==?=',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=iso-2022-jp',
    ],
    '\x1b$BF|K\\\x1b(B and more\n',
  ),
  'groups and routes': mail(
    8,
    [
      'From: "A. (odd) Name" <odd.name@example.test> (a comment)',
      'To: Friends: joe@example.test, "Ann E." <ann@example.test>;, undisclosed-recipients:;',
      'Cc: (nobody) carol@example.test',
      'Reply-To: answers@example.test',
      'Sender: secretary@example.test',
      'Subject: who\n gets\n\tthis',
    ],
    'body\n',
  ),
  alternative: mail(
    9,
    [
      'From: ann@example.test',
      'Subject: alternative',
      'MIME-Version: 1.0',
      'Content-Type: multipart/alternative; boundary="a b:c"',
    ],
    mixed(
      'a b:c',
      'Content-Type: text/plain; format=flowed\nContent-Language: en, de\n\nplain words\n',
      'Content-Type: text/html; charset=utf-8\nContent-ID: <part@example.test>\nContent-Description: as HTML\nContent-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\nContent-Location: http://example.test/\n\n<p>html words</p>\n',
    ),
  ),
  attachment: mail(
    10,
    [
      'From: ann@example.test',
      'Subject: with an attachment',
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed;\n boundary=cut',
    ],
    mixed(
      'cut',
      '\nimplicit text\n',
      "Content-Type: application/octet-stream; name*=utf-8''f%C3%BCnf.bin\nContent-Disposition: attachment; filename=five.bin;\n size=5\nContent-Transfer-Encoding: BASE64\n\nAAEC\nAwQ=\n",
      'Content-Type: multipart/digest; boundary=inner\n\n--inner\n\nSubject: digested\nFrom: carol@example.test\n\none of many\n\n--inner--\n',
    ),
  ),
  'a message within': mail(
    11,
    [
      'From: ann@example.test',
      'Subject: forwarded',
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary=outer',
    ],
    mixed(
      'outer',
      'Content-Type: text/plain\n\nsee below\n',
      lines(
        'Content-Type: message/rfc822',
        '',
        'From: carol@example.test',
        'To: ann@example.test',
        'Subject: the inner one',
        'Content-Type: multipart/mixed; boundary=within',
        '',
        mixed('within', 'Content-Type: text/plain\n\ninnermost\n', 'Content-Type: text/csv\n\n1,2\n'),
      ),
    ),
  ),
  'message as the whole': mail(
    12,
    ['From: ann@example.test', 'Subject: nothing else', 'MIME-Version: 1.0', 'Content-Type: message/rfc822'],
    'From: dave@example.test\nSubject: wrapped\n\nits body\n',
  ),
  thread: mail(13, ['From: Writer 1 <writer1@example.test>', 'Subject: where to meet'], 'Where?\n'),
  'first answer': reply(14, [13], 'Re: where to meet'),
  'second answer': reply(15, [13], 'RE: Re: where to meet'),
  'answer to an answer': reply(16, [13, 14], 'Re: where to meet (fwd)'),
  'answer to what is not there': reply(17, [13, 99, 98], 'Fwd: where to meet'),
  'answer by subject alone': mail(18, ['From: writer2@example.test', 'Subject: Re: plans for spring'], 'Yes.\n'),
  'another thread of the same subject': mail(
    19,
    ['From: writer2@example.test', 'Subject: [list] where to meet'],
    'Here.\n',
  ),
  'date that is none':
    'From: ann@example.test\nDate: yesterday\nSubject: when\nMessage-ID: <20@judge.example.test>\n\nbody\n',
  'unclosed multipart': mail(
    21,
    [
      'From: ann@example.test',
      'Subject: cut off',
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary=never',
    ],
    'preamble\n--never\nContent-Type: text/plain\n\nlast words',
  ),
  'header cut off': mail(
    22,
    [
      'From: ann@example.test',
      'Subject: header of a part cut off',
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary=cut',
    ],
    '--cut\nContent-Type: text/html\n--cut\n\nbody\n--cut--\n',
  ),
  'boundary of 100': mail(
    23,
    [
      'From: ann@example.test',
      'Subject: long boundary',
      'MIME-Version: 1.0',
      `Content-Type: multipart/mixed; boundary="${'b'.repeat(100)}"`,
    ],
    mixed('b'.repeat(100), '\none\n', '\ntwo\n'),
  ),
  'semicolon forgotten': mail(
    24,
    [
      'From: ann@example.test',
      'Subject: parameters',
      'MIME-Version: 1.0',
      'Content-Type: text/plain charset=utf-8 format=flowed',
    ],
    'body\n',
  ),
  'message in base64': mail(
    25,
    [
      'From: ann@example.test',
      'Subject: encoded message',
      'MIME-Version: 1.0',
      'Content-Type: message/rfc822',
      'Content-Transfer-Encoding: base64',
    ],
    `${Buffer.from('Subject: hidden\r\n\r\nbody\r\n').toString('base64')}\n`,
  ),
  'encoding that is none': mail(
    26,
    [
      'From: ann@example.test',
      'Subject: x-none',
      'MIME-Version: 1.0',
      'Content-Type: text/plain',
      'Content-Transfer-Encoding: x-none',
    ],
    'words\n',
  ),
  'eight bits in the header': mail(
    27,
    ['From: J\xc3\xb6rg <joerg@example.test>', 'Subject: raw \xc3\xbcber', 'To: ann@example.test'],
    'raw b\xc3\xb6dy\n',
  ),
};

export const ownMessages = (): JudgedMessage[] =>
  Object.entries(TEXTS).map(([name, text]) => asMessage(name, Buffer.from(text, 'latin1')));
