import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MailChannel } from '../../src/shared/model/channels.ts'
import { makeAuthority } from '../contract/certificates.ts'
import type { LabHost } from './host.ts'
import { sleep } from './run.ts'

/** A mail as the server on the host took it apart. */
export interface Arrived {
  readonly from: string
  readonly to: readonly string[]
  readonly tls: boolean
  readonly headers: Readonly<Record<string, string>>
  readonly defects: readonly string[]
  readonly parts: Readonly<Record<string, string>>
}

const FOLDER = '/root/test-mail'
const UNIT = 'test-mail.service'
const PORT = 2525
const LOGIN = { user: 'kvm-1', password: 'correct horse' }

/** Debian's aiosmtpd on a lab host, for mails of that host to itself. It is known as `localhost`, and by no other name. */
export class MailServer {
  readonly #host: LabHost
  readonly #ca: string

  private constructor(host: LabHost, ca: string) {
    this.#host = host
    this.#ca = ca
  }

  static async on(host: LabHost): Promise<MailServer> {
    const authority = makeAuthority()
    const { cert, key } = authority.sign('DNS:localhost')
    await host.must(['mkdir', '-p', FOLDER])
    await host.writeFile(`${FOLDER}/cert.pem`, cert)
    await host.writeFile(`${FOLDER}/key.pem`, key)
    await host.writeFile(`${FOLDER}/server.py`, readFileSync(join(import.meta.dirname, 'smtp-server.py')))
    const server = new MailServer(host, authority.ca)
    await server.start()
    return server
  }

  /** Settings that this server likes. */
  channel(change: Partial<MailChannel> = {}): MailChannel {
    const addresses = { from: 'Stillpoint <kvm-1@example.org>', to: ['admin@example.org'] }
    return { server: 'localhost', port: PORT, security: 'starttls', ...LOGIN, ...addresses, ca: this.#ca, ...change }
  }

  /** Returns when it listens. */
  async start(): Promise<void> {
    const files = [`${FOLDER}/cert.pem`, `${FOLDER}/key.pem`]
    const program = [
      'python3',
      `${FOLDER}/server.py`,
      String(PORT),
      ...files,
      LOGIN.user,
      LOGIN.password,
      `${FOLDER}/got`
    ]
    await this.#host.must(['systemd-run', `--unit=${UNIT}`, '--collect', '--quiet', '--', ...program])
    for (let tries = 100; (await this.#host.run(`ss -ltn | grep -q ':${PORT} '`)).exitCode !== 0; tries--) {
      if (tries === 0) throw new Error(`no mail server: ${await this.#host.must(`journalctl -n 20 -u ${UNIT}`)}`)
      await sleep(100)
    }
  }

  async stop(): Promise<void> {
    await this.#host.run(['systemctl', 'stop', UNIT])
  }

  /** What has arrived since the last time, oldest first. */
  async take(): Promise<Arrived[]> {
    const lines = await this.#host.must(
      `cd ${FOLDER}; for mail in $(ls got/*.json 2>/dev/null); do cat $mail; echo; rm $mail; done`
    )
    return lines
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Arrived)
  }

  async remove(): Promise<void> {
    await this.stop()
    await this.#host.run(['rm', '-rf', FOLDER])
  }
}
