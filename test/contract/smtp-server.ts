import { createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { TLSSocket } from 'node:tls'
import type { Identity } from './certificates.ts'

export interface SmtpOptions {
  /** `tls` from the start, `starttls` on offer, `none`. */
  readonly security: 'tls' | 'starttls' | 'none'
  readonly identity?: Identity
  readonly login?: { readonly user: string; readonly password: string }
  /** Answers that are given instead of the usual ones, by verb; each is used up once unless it is a string. */
  readonly answers?: Readonly<Record<string, string | string[]>>
  /** Before the greeting. */
  readonly silentMs?: number
  readonly address?: string
}

export interface Received {
  readonly from: string
  readonly to: readonly string[]
  readonly mail: string
  readonly encrypted: boolean
  readonly login: string | undefined
}

/** A small SMTP server (RFC 5321, 3207, 4954) that takes mail as asked for, and keeps it. */
export class SmtpServer {
  readonly received: Received[] = []
  /** Every verb that came, with what followed it but for secrets. */
  readonly heard: string[] = []
  private readonly sockets = new Set<Socket>()
  private readonly server: Server
  private readonly options: SmtpOptions

  private constructor(options: SmtpOptions) {
    this.options = options
    this.server = createServer((socket) => {
      this.sockets.add(socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket)))
      void new Session(socket, this, options).serve().catch(() => socket.destroy())
    })
  }

  static async start(options: SmtpOptions): Promise<SmtpServer> {
    const smtp = new SmtpServer({ ...options, answers: structuredClone(options.answers ?? {}) })
    await new Promise<void>((resolve) => smtp.server.listen(0, options.address ?? '127.0.0.1', resolve))
    return smtp
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  /** The answer that is to be given to a verb this time, if it is not the usual one. */
  answerTo(verb: string): string | undefined {
    const answer = this.options.answers?.[verb]
    return Array.isArray(answer) ? answer.shift() : answer
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    await new Promise((resolve) => this.server.close(resolve))
  }
}

class Session {
  private socket: Socket
  private readonly server: SmtpServer
  private readonly options: SmtpOptions
  private lines: AsyncGenerator<string, undefined>
  private login: string | undefined
  private from = ''
  private to: string[] = []

  constructor(socket: Socket, server: SmtpServer, options: SmtpOptions) {
    this.server = server
    this.options = options
    this.socket = options.security === 'tls' ? this.encrypted(socket) : socket
    this.lines = linesOf(this.socket)
  }

  async serve(): Promise<void> {
    if (this.options.silentMs !== undefined) await sleep(this.options.silentMs, undefined, { ref: false })
    this.say(this.server.answerTo('greeting') ?? '220 mail.example.org ESMTP')
    for (;;) {
      const next = await this.lines.next()
      if (next.done === true) return
      const line = next.value
      const verb = (line.split(/[ :]/)[0] ?? '').toUpperCase()
      this.server.heard.push(verb === 'AUTH' ? 'AUTH' : line)
      const answer = this.server.answerTo(verb)
      if (answer !== undefined) this.say(answer)
      else if (!(await this.obey(verb, line))) return
    }
  }

  /** False: the conversation is over. */
  private async obey(verb: string, line: string): Promise<boolean> {
    if (verb === 'EHLO') this.say(this.abilities())
    else if (verb === 'STARTTLS') this.startTls()
    else if (verb === 'AUTH') await this.authenticate(line)
    else if (verb === 'MAIL') this.begin(line)
    else if (verb === 'RCPT') this.addRecipient(line)
    else if (verb === 'DATA') await this.takeMail()
    else if (verb === 'QUIT') return this.quit()
    else this.say('502 5.5.1 not known here')
    return true
  }

  private abilities(): string {
    const offers = this.options.security === 'starttls' && !this.isEncrypted ? ['STARTTLS'] : []
    const auth = this.options.login !== undefined && (this.isEncrypted || this.options.security === 'none')
    const all = ['mail.example.org', '8BITMIME', ...offers, ...(auth ? ['AUTH PLAIN LOGIN'] : [])]
    return all.map((ability, n) => `250${n === all.length - 1 ? ' ' : '-'}${ability}`).join('\r\n')
  }

  private get isEncrypted(): boolean {
    return this.socket instanceof TLSSocket
  }

  private startTls(): void {
    if (this.options.security !== 'starttls') {
      this.say('502 5.5.1 no STARTTLS here')
      return
    }
    this.say('220 2.0.0 go ahead')
    void this.lines.return(undefined)
    this.socket.removeAllListeners('data')
    this.socket = this.encrypted(this.socket)
    this.lines = linesOf(this.socket)
  }

  private encrypted(socket: Socket): TLSSocket {
    const { key = '', cert = '' } = this.options.identity ?? {}
    const encrypted = new TLSSocket(socket, { isServer: true, key, cert })
    return encrypted.on('error', () => socket.destroy())
  }

  private async authenticate(line: string): Promise<void> {
    let [, , proof] = line.split(' ')
    if (proof === undefined) {
      this.say('334 ')
      proof = (await this.lines.next()).value ?? ''
    }
    const [, user, password] = Buffer.from(proof, 'base64').toString().split('\0')
    const { login } = this.options
    const isRight = login !== undefined && user === login.user && password === login.password
    if (isRight) this.login = user
    this.say(isRight ? '235 2.7.0 welcome' : '535 5.7.8 authentication credentials invalid')
  }

  private begin(line: string): void {
    if (this.options.login !== undefined && this.login === undefined) {
      this.say('530 5.7.0 log in first')
      return
    }
    this.from = /<(.*?)>/.exec(line)?.[1] ?? ''
    this.to = []
    this.say('250 2.1.0 ok')
  }

  private addRecipient(line: string): void {
    this.to.push(/<(.*?)>/.exec(line)?.[1] ?? '')
    this.say('250 2.1.5 ok')
  }

  private async takeMail(): Promise<void> {
    this.say('354 go on')
    const lines: string[] = []
    for await (const line of { [Symbol.asyncIterator]: () => ({ next: () => this.lines.next() }) }) {
      if (line === '.') break
      lines.push(line.replace(/^\./, ''))
    }
    const answer = this.server.answerTo('end of data')
    const { from, to, login } = this
    if (answer === undefined)
      this.server.received.push({ from, to, login, encrypted: this.isEncrypted, mail: lines.join('\r\n') })
    this.say(answer ?? '250 2.0.0 queued as 1')
  }

  private quit(): boolean {
    this.say('221 2.0.0 bye')
    this.socket.end()
    return false
  }

  private say(line: string): void {
    this.socket.write(`${line}\r\n`)
  }
}

async function* linesOf(socket: Socket): AsyncGenerator<string, undefined> {
  const waiting: string[] = []
  let rest = ''
  const state = { ended: false }
  let wake: () => void = () => undefined
  socket.setEncoding('latin1')
  socket.on('data', (text: string) => {
    const whole = (rest + text).split('\r\n')
    rest = whole.pop() ?? ''
    waiting.push(...whole)
    wake()
  })
  socket.on('close', () => {
    state.ended = true
    wake()
  })
  for (;;) {
    const line = waiting.shift()
    if (line !== undefined) yield line
    else if (state.ended) return
    else await new Promise<void>((resolve) => (wake = resolve))
  }
}
