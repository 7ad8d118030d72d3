import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { testMessage } from '../../src/engine/tell/test-message.ts'
import { postWebhook } from '../../src/engine/tell/webhook.ts'
import { isFailure, type FailureOf } from '../../src/shared/failure.ts'
import { safeText } from '../../src/shared/safe-text.ts'
import type { WebhookChannel } from '../../src/shared/model/channels.ts'
import { PATIENCE_MS } from '../patience.ts'

const message = testMessage('kvm-1', new Date('2026-11-24T01:00:00Z'), 'Europe/Berlin')

interface Heard {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: unknown
}

const servers: Server[] = []
let heard: Heard[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  heard = []
})

/** Address of a server that answers like this; what it hears is kept. */
async function serving(answer: RequestListener): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { url: path = '', headers } = request
      heard.push({ path, headers, body: JSON.parse(Buffer.concat(chunks).toString()) as unknown })
      answer(request, response)
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const channel = (url: string, change: Partial<WebhookChannel> = {}): WebhookChannel => ({
  form: 'json',
  url,
  token: 'tk_secret',
  ...change
})

async function refusal(sending: Promise<unknown>): Promise<FailureOf<'not-told'>> {
  try {
    await sending
  } catch (error) {
    if (isFailure(error, 'not-told')) return error.failure
    throw error
  }
  throw new Error('it was taken')
}

describe('a webhook', () => {
  it('gets the message as JSON, with its token', async () => {
    const url = await serving((_, response) => response.end('ok'))
    expect((await postWebhook(channel(`${url}/hook`), message)).text).toMatch(/took it: 200$/)
    expect(heard).toMatchObject([
      {
        path: '/hook',
        headers: { authorization: 'Bearer tk_secret', 'content-type': 'application/json' },
        body: { version: 1, event: 'test' }
      }
    ])
  })

  it.each([
    ['ntfy', '/alerts', '/', 'authorization', { topic: 'alerts', title: message.subject }],
    ['gotify', '', '/message', 'x-gotify-key', { title: message.subject, priority: 2 }]
  ] as const)('of form %s gets it where such a server expects it', async (form, given, path, header, body) => {
    const url = await serving((_, response) => response.end())
    await postWebhook(channel(`${url}${given}`, { form }), message)
    expect(heard).toMatchObject([{ path, body }])
    expect(heard[0]?.headers[header]).toContain('tk_secret')
  })

  it('may send on within the same server, and no further', async () => {
    const url = await serving(({ url: path }, response) =>
      path === '/old' ? response.writeHead(308, { location: '/new' }).end() : response.end()
    )
    await postWebhook(channel(`${url}/old`), message)
    expect(heard.map(({ path }) => path)).toEqual(['/old', '/new'])
  })
})

describe('a webhook that does not take it', () => {
  it('sends on to another server: neither message nor token go there', async () => {
    const other = await serving((_, response) => response.end())
    const url = await serving((_, response) => response.writeHead(307, { location: `${other}/steal` }).end())
    expect((await refusal(postWebhook(channel(url), message))).detail).toContain('which is not followed')
    expect(heard).toHaveLength(1)
  })

  it('sends on and on', async () => {
    const url = await serving((_, response) => response.writeHead(307, { location: '/' }).end())
    expect((await refusal(postWebhook(channel(url), message))).detail).toContain('on and on')
    expect(heard.length).toBeLessThan(10)
  })

  it.each([
    [500, 'problem of its own'],
    [404, 'no longer'],
    [410, 'no longer'],
    [403, 'token'],
    [429, 'fewer'],
    [302, 'address that it has now']
  ])('answers %i', async (status, fix) => {
    const url = await serving((_, response) =>
      response.writeHead(status, { location: '/x' }).end(`sorry, tk_secret \u001b[2J`)
    )
    const failure = await refusal(postWebhook(channel(url), message))
    expect(failure.detail).toContain(String(status))
    expect(failure.detail).not.toContain('tk_secret')
    expect(failure.detail).toBe(safeText(failure.detail))
    expect(failure.fix).toContain(fix)
  })

  it('does not find its address, and repeats it', async () => {
    const path = '/hooks/T0aZ91xQ4/s3cr3t-key?key=abcdef123456'
    const url = await serving((request, response) =>
      response.writeHead(404).end(`Cannot POST ${request.url ?? ''}; no abcdef123456 in T0aZ91xQ4`)
    )
    const { detail } = await refusal(postWebhook(channel(new URL(path, url).href), message))
    for (const secret of ['T0aZ91xQ4', 's3cr3t-key', 'abcdef123456']) expect(detail).not.toContain(secret)
    expect(detail).toContain('Cannot POST')
  })

  it('is slow', async () => {
    const url = await serving(() => undefined)
    expect((await refusal(postWebhook(channel(url), message, 200))).detail).toContain('did not answer in time')
  })

  it('is not there', async () => {
    const url = await serving(() => undefined)
    const [server] = servers.splice(0)
    await new Promise((resolve) => server?.close(resolve))
    expect((await refusal(postWebhook(channel(url), message))).detail).toContain('nothing listens there')
  })
})

it.each([200, 500])('an answer %i without an end is not read to its end', async (status) => {
  const url = await serving((_, response) => {
    response.writeHead(status)
    const pour = setInterval(() => response.write('x'.repeat(1000)), 1)
    response.on('close', () => clearInterval(pour))
  })
  // By then this test has been given up.
  const deadlineMs = 10 * PATIENCE_MS
  const answer = await postWebhook(channel(url), message, deadlineMs).catch((error: unknown) => String(error))
  expect(JSON.stringify(answer).length).toBeLessThan(1000)
})
