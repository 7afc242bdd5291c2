/** The messages that the demo begins with. */

export type Sample = { readonly from: string; readonly to: readonly string[]; readonly message: Buffer };

const message = (...lines: readonly string[]): Buffer => Buffer.from(lines.join('\r\n') + '\r\n', 'utf8');

export const samples = (): readonly Sample[] => [
  {
    from: 'postmaster@example.test',
    to: ['alice@example.test', 'bob@example.test'],
    message: message(
      'From: Postmaster <postmaster@example.test>',
      'To: Alice <alice@example.test>, Bob <bob@example.test>',
      'Subject: Welcome home',
      'Date: Mon, 02 Nov 2026 09:00:00 +0000',
      'Message-ID: <welcome@example.test>',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: 8bit',
      '',
      'This mailbox is served by Homing.',
      '',
      'Read it with any POP3 client; deliver to it by LMTP; change its password by poppwd.',
      'The addresses were printed when the server started. Schöne Grüße!',
    ),
  },
  {
    from: 'bob@example.test',
    to: ['alice@example.test'],
    message: message(
      'From: Bob <bob@example.test>',
      'To: Alice <alice@example.test>',
      'Subject: A line that is only a dot',
      'Date: Mon, 02 Nov 2026 09:05:00 +0000',
      'Message-ID: <dot@example.test>',
      '',
      'Below stands a dot. It ends no message, because the client doubles it on the way in and the server on the way out.',
      '.',
      '..and these were two.',
    ),
  },
  {
    from: '',
    to: ['postmaster@example.test'],
    message: message(
      'From: Mail Delivery System <mailer-daemon@example.test>',
      'To: postmaster@example.test',
      'Subject: Returned mail',
      'Date: Mon, 02 Nov 2026 09:10:00 +0000',
      'Message-ID: <bounce@example.test>',
      '',
      'A message with the null reverse-path, as a bounce has it.',
    ),
  },
];
