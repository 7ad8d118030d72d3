import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Frame, MAX_NOISE_BYTES, TooNoisy, parseStarted } from '../../src/main/core/ssh/framing.ts'
import { describeFailure } from '../../src/shared/failure-words.ts'
import { loginFailure } from '../../src/main/core/ssh/login-failure.ts'

function framed(chunks: readonly Buffer[]): { content: string; noise: string; header: string | undefined } {
  const content: Buffer[] = []
  let header: string | undefined
  const frame = new Frame('MARK', (chunk) => void content.push(chunk), (rest) => (header = rest)) // prettier-ignore
  for (const chunk of chunks) void frame.take(chunk)
  return { content: Buffer.concat(content).toString(), noise: frame.noise, header }
}

describe('a frame', () => {
  it('drops what comes before the marker and passes on what follows, wherever it is cut', () => {
    const whole = Buffer.from('noise ü\nMARK 12 34 found\ncontent\nMARK 1\n')
    const cuts = fc
      .array(fc.nat(whole.length), { maxLength: 8 })
      .map((at) => [0, ...at.sort((a, b) => a - b), whole.length])
    fc.assert(
      fc.property(cuts, (at) => {
        const chunks = at.slice(1).map((end, index) => whole.subarray(at[index], end))
        expect(framed(chunks)).toEqual({ content: 'content\nMARK 1\n', noise: 'noise ü', header: '12 34 found' })
      })
    )
  })

  it('is not taken in by a shell that prints the command it runs', () => {
    expect(framed([Buffer.from("+ printf '%s' MARK 1 2 found\n\nMARK 3 4 found\nx")]).header).toBe('3 4 found')
  })

  it('keeps all for the explanation if the marker never comes', () => {
    expect(framed([Buffer.from('not '), Buffer.from('today')])).toEqual({
      content: '',
      noise: 'not today',
      header: undefined
    })
  })

  it('has an end to its patience', () => {
    expect(() => framed([Buffer.alloc(MAX_NOISE_BYTES), Buffer.alloc(1)])).toThrow(TooNoisy)
  })

  it('says whether the program is there, and in which session', () => {
    expect(parseStarted('12 34 found')).toEqual({ session: '34', found: true })
    expect(parseStarted('12  missing')).toEqual({ session: '', found: false })
  })
})

describe('a login that did not run anything', () => {
  const login = { host: 'kvm1', user: 'me', through: 'login', exitCode: 1, printed: '' } as const

  it.each([
    ['rbash: line 1: exec: restricted', 'restricted'],
    ['This account is currently not available.', 'nologin'],
    ['/bin/sh: 1: base64: not found', 'coreutils'],
    ['bash: /bin/sh: Permission denied', 'noexec'],
    ['Please choose: 1) backup 2) quit', 'did not run']
  ])('is explained: %s', (printed, reason) => {
    const failure = loginFailure({ ...login, printed })
    expect(failure).toMatchObject({
      kind: 'login-shell',
      host: 'kvm1',
      reason: expect.stringContaining(reason) as string
    })
    expect(failure).toMatchObject({ reason: expect.stringContaining(printed) as string })
  })

  it('shows what was printed without letting it steer the terminal', () => {
    const { reason } = loginFailure({ ...login, printed: '\x1b[2J\u202eevil' }) as { reason: string }
    expect(reason).not.toMatch(/[\x1b\u202e]/) // eslint-disable-line no-control-regex -- that is what must not be there
  })

  it('because of sudo leads to the line for sudoers', () => {
    const failure = loginFailure({ ...login, through: 'sudo', printed: 'hi\nsudo: a password is required\n' })
    expect(failure).toEqual({ kind: 'no-root', host: 'kvm1', user: 'me', sudoersLine: 'me ALL=(root) NOPASSWD: ALL' })
  })

  it('because sudo wants a terminal leads to the line that lets it do without', () => {
    const printed = 'sudo: sorry, you must have a tty to run sudo\n'
    const failure = loginFailure({ ...login, through: 'sudo', printed })
    expect(failure).toMatchObject({ kind: 'no-root', wantsTerminal: true })
    expect(describeFailure(failure)).toMatchObject({
      title: 'sudo on kvm1 wants a terminal of me',
      nextStep: expect.stringContaining("'Defaults:me !requiretty'") as string
    })
  })

  it('because of doas leads to the line for its file', () => {
    const failure = loginFailure({ ...login, through: 'doas', printed: 'doas: Authentication required\n' })
    expect(describeFailure(failure).nextStep).toContain("'permit nopass me as root' | doas tee -a /etc/doas.conf")
  })

  it.each(['sh: 1: exec: doas: not found', 'doas: Command not found.'])(
    'is no refusal of doas where there is none: %s',
    (printed) => expect(loginFailure({ ...login, through: 'doas', printed })).toMatchObject({ kind: 'login-shell' })
  )
})
