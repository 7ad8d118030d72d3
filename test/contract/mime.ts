/** A mail taken apart: what a reader of it sees. */
export interface ParsedMail {
  /** By lower-case name, unfolded and decoded. */
  readonly headers: Readonly<Record<string, string>>
  /** Decoded, by type: `text/plain`, `text/html`. */
  readonly parts: Readonly<Record<string, string>>
}

export function parseMail(mail: string): ParsedMail {
  const { headers, body } = halves(mail)
  const boundary = /boundary="?([^";]+)"?/.exec(headers['content-type'] ?? '')?.[1]
  if (boundary === undefined) return { headers, parts: { [typeOf(headers)]: decoded(headers, body) } }
  const pieces = body
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((piece) => halves(piece.replace(/^\r\n/, '')))
  return {
    headers,
    parts: Object.fromEntries(pieces.map((piece) => [typeOf(piece.headers), decoded(piece.headers, piece.body)]))
  }
}

const typeOf = (headers: Readonly<Record<string, string>>): string =>
  (headers['content-type'] ?? '').split(';')[0] ?? ''

function halves(text: string): { headers: Record<string, string>; body: string } {
  const at = text.indexOf('\r\n\r\n')
  const lines = text
    .slice(0, at)
    .replaceAll(/\r\n[ \t]+/g, ' ')
    .split('\r\n')
  const headers = lines.map((line) => [
    line.slice(0, line.indexOf(':')).toLowerCase(),
    decodedWords(line.slice(line.indexOf(':') + 1).trim())
  ])
  return {
    headers: Object.fromEntries(headers) as Record<string, string>,
    body: text.slice(at + 4).replace(/\r\n$/, '')
  }
}

function decoded(headers: Readonly<Record<string, string>>, body: string): string {
  const encoding = (headers['content-transfer-encoding'] ?? '').toLowerCase()
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8').replaceAll('\r\n', '\n')
  if (encoding === 'quoted-printable') return quotedPrintable(body.replaceAll('=\r\n', '')).replaceAll('\r\n', '\n')
  return Buffer.from(body, 'latin1').toString('utf8').replaceAll('\r\n', '\n')
}

const quotedPrintable = (text: string): string =>
  Buffer.from(
    text.replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    'latin1'
  ).toString('utf8')

/** RFC 2047: `=?UTF-8?Q?…?=`; the space between two of them belongs to neither. */
function decodedWords(text: string): string {
  return text
    .replaceAll(/\?=\s+=\?/g, '?==?')
    .replaceAll(/=\?utf-8\?([QB])\?(.*?)\?=/gi, (_, how: string, word: string) =>
      how.toUpperCase() === 'B'
        ? Buffer.from(word, 'base64').toString('utf8')
        : quotedPrintable(word.replaceAll('_', ' '))
    )
}
