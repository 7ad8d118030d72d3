import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { assetPath } from './asset-path.ts'
import { contentPolicy, NONCE_PLACEHOLDER } from './content-policy.ts'

export interface AssetReply {
  readonly status: 200 | 404
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array<ArrayBuffer>
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2'
}

/** Answers a request for a file of the built window. For any door: it knows nothing of Electron. `connect`: what the page may connect to. */
export async function readAsset(root: string, target: string, connect?: string): Promise<AssetReply> {
  const file = assetPath(root, target)
  const type = file === undefined ? undefined : TYPES[extname(file)]
  if (file === undefined || type === undefined) return NOT_FOUND
  const bytes = await readFile(file).catch(() => undefined)
  if (bytes === undefined) return NOT_FOUND
  return extname(file) === '.html'
    ? page(bytes.toString('utf8'), type, connect)
    : reply(200, new Uint8Array(bytes), type, 'none')
}

/** Each load gets a nonce of its own. */
function page(html: string, type: string, connect?: string): AssetReply {
  const nonce = randomBytes(16).toString('base64')
  return reply(200, new TextEncoder().encode(html.replaceAll(NONCE_PLACEHOLDER, nonce)), type, nonce, connect)
}

function reply(
  status: 200 | 404,
  body: Uint8Array<ArrayBuffer>,
  type: string,
  nonce: string,
  connect?: string
): AssetReply {
  const headers = {
    'content-type': type,
    'content-security-policy': contentPolicy(nonce, connect),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store'
  }
  return { status, headers, body }
}

const NOT_FOUND = reply(404, new TextEncoder().encode('Not found'), 'text/plain; charset=utf-8', 'none')
