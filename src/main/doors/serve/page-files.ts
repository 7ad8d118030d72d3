import type { ServerResponse } from 'node:http'
import { contentPolicy } from '../../core/window-files/content-policy.ts'
import { readAsset, type AssetReply } from '../../core/window-files/read-asset.ts'
import { authority } from './gate.ts'

/**
 * On every answer of the door, refusals too: no other page may have any of it, in whatever way, nor be told by it that
 * Stillpoint runs here.
 */
const HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'x-frame-options': 'DENY',
  'permissions-policy':
    'camera=(), display-capture=(), geolocation=(), hid=(), microphone=(), midi=(), payment=(), serial=(), usb=()'
} as const

const NOTHING = { ...HEADERS, 'content-security-policy': contentPolicy('none') }

/** Which paths are the page; all others are only for the page itself. */
export const isPage = (target: string): boolean => /^\/(?:index\.html)?(?:\?|$)/.test(target)

/**
 * The files of the built window. Each is read once: whoever asks for them a thousand times gets the same bytes. The page
 * itself has a nonce of its own each time.
 */
export class PageFiles {
  private readonly kept = new Map<string, Promise<AssetReply>>()
  private readonly root: string
  private readonly connect: string

  constructor(root: string, connect: string) {
    this.root = root
    this.connect = connect
  }

  async answer(target: string, response: ServerResponse): Promise<void> {
    const { status, headers, body } = await (this.kept.get(target) ?? this.read(target))
    response.writeHead(status, { ...headers, ...HEADERS, 'content-length': body.length }).end(body)
  }

  /** Only what there is: of the rest there is no end. */
  private async read(target: string): Promise<AssetReply> {
    const reading = readAsset(this.root, target, this.connect)
    if (isPage(target) || target.includes('?')) return reading
    this.kept.set(target, reading)
    const reply = await reading
    if (reply.status !== 200) this.kept.delete(target)
    return reply
  }
}

export const answerJson = (response: ServerResponse, status: number, value: object): void =>
  void response.writeHead(status, { ...NOTHING, 'content-type': 'application/json' }).end(JSON.stringify(value))

/** No, without a reason: who asks from elsewhere learns nothing. */
export const answerNo = (response: ServerResponse, status: 403 | 405): void =>
  void response.writeHead(status, { ...NOTHING, connection: 'close', 'content-length': 0 }).end()

/** For a person who typed another address of ours: what to do. The same for all of them. */
export const answerWhere = (response: ServerResponse, port: number): void =>
  void response
    .writeHead(403, { ...NOTHING, connection: 'close', 'content-type': 'text/plain; charset=utf-8' })
    .end(
      `Stillpoint does not open at this address. Use the one that stillpoint serve prints, as it is: http://${authority(port)}/ and a key behind it. ` +
        'For one, press Enter in the terminal in which Stillpoint runs. ' +
        `Through an SSH tunnel, take the same port at both ends: ssh -L ${port}:127.0.0.1:${port} HOST\n`
    )
