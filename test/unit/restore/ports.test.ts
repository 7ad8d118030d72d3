import { describe, expect, it } from 'vitest'
import { checkPorts, itemsListening } from '../../../src/engine/restore/check-ports.ts'
import { parseListeners } from '../../../src/engine/restore/listeners.ts'
import type { RestoreSpec } from '../../../src/shared/model/job.ts'
import { fixedPortsIn, listenAddressesIn, withAutomaticPorts } from '../../../src/libvirt/ports.ts'
import type { Answers } from '../../../src/engine/restore/answers.ts'
import { OTHER, answersFor, asking, flags, guest, hardwareWith, paperHost, said, type PaperHost } from './asked-host.ts'

const VNC = `<graphics type='vnc' port='5999' autoport='no' websocket='5700' passwd='x'><listen type='address' address='0.0.0.0'/></graphics>`
const SPICE = `<graphics type='spice' port='5901' tlsPort='5902' autoport='no'/>`
const LIVE = `<graphics type='vnc' port='5900' autoport='yes' listen='127.0.0.1'/>`
const SERIAL = `<serial type='tcp'><source mode='bind' host='127.0.0.1' service='4555'/><protocol type='raw'/><target port='0'/></serial>
  <console type='tcp'><source mode='bind' host='127.0.0.1' service='4555'/><protocol type='raw'/><target type='serial' port='0'/></console>`
const OUT = `<serial type='tcp'><source mode='connect' host='192.0.2.9' service='4556'/></serial>`

/** As `ss -H -l -t -u -n -p` of iproute2 6.1 prints it. */
const SS = `udp   UNCONN 0      0            127.0.0.1:323        0.0.0.0:*    users:(("chronyd",pid=301,fd=5))
tcp   LISTEN 0      1              0.0.0.0:5999       0.0.0.0:*    users:(("qemu-system-x86",pid=999999999,fd=21))
tcp   LISTEN 0      128               [::]:22            [::]:*    users:(("sshd",pid=88,fd=4),("systemd",pid=1,fd=60))
tcp   LISTEN 0      5            127.0.0.1:4555       0.0.0.0:*
`

/** As /proc/net/fib_trie shows an address; the network has no cable in. */
const TRIE = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 192.168.122.0
        /24 link UNICAST
Local:
        +-- 192.168.122.0/24 2 0 2
           |-- 192.168.122.1
              /32 host LOCAL
           |-- 192.168.122.255
              /32 link BROADCAST
`
const INET6 = 'fd000001000000000000000000000005 02 40 00 80     eth0\n'

async function check(devices: string, host: PaperHost = { ss: SS }, spec: Partial<RestoreSpec> = {}): Promise<Answers> {
  const answers = answersFor(spec)
  const hardware = await hardwareWith({ '/proc/net/fib_trie': TRIE, '/proc/net/if_inet6': INET6 })
  await checkPorts(
    paperHost(host),
    { asking: asking(guest(devices)), displaced: [], brought: [], isCopy: spec.copy !== undefined },
    hardware,
    answers
  )
  return answers
}

describe('ports that a definition insists on', () => {
  it('are those that are written down, not those that libvirt chose', () => {
    const ports = fixedPortsIn(guest(VNC + SPICE + LIVE + SERIAL + OUT)).map(({ what, port }) => `${what} ${port}`)
    expect(ports).toEqual([
      'VNC screen 5999',
      'VNC screen 5700',
      'SPICE screen 5901',
      'SPICE screen 5902',
      'serial port 4555'
    ])
    expect(fixedPortsIn(guest(`<graphics type='vnc' port='-1' autoport='no'/>`))).toEqual([])
  })

  it('become automatic: passwords and addresses stay, serial ports lead to a terminal', () => {
    const edited = withAutomaticPorts(guest(VNC + SPICE + SERIAL + OUT))
    expect(fixedPortsIn(edited)).toEqual([])
    expect(edited).toContain('passwd="x"')
    expect(edited).toContain('address="0.0.0.0"')
    expect(edited).toMatch(/<serial type="pty"><target port="0"\/><\/serial>/)
    expect(edited).toMatch(/<console type="pty"><target type="serial" port="0"\/><\/console>/)
    expect(edited).toContain('service="4556"')
  })
})

describe('what an address to listen on allows', () => {
  it('are screens there, and no ports of another kind', () => {
    const xml = guest(VNC + SERIAL.replaceAll('127.0.0.1', '0.0.0.0'))
    expect(itemsListening(xml, '0.0.0.0')).toEqual(expect.arrayContaining(['listen=vnc:0.0.0.0:password']))
    expect(itemsListening(xml, '0.0.0.0').join()).not.toContain('serial')
  })
})

describe('who listens on this host', () => {
  it('is read from ss', () => {
    expect(parseListeners(SS)).toEqual([
      { protocol: 'udp', port: 323, address: '127.0.0.1', program: 'chronyd', pids: [301] },
      { protocol: 'tcp', port: 5999, address: '0.0.0.0', program: 'qemu-system-x86', pids: [999999999] },
      { protocol: 'tcp', port: 22, address: '::', program: 'sshd', pids: [88, 1] },
      { protocol: 'tcp', port: 4555, address: '127.0.0.1', program: '', pids: [] }
    ])
    expect(parseListeners('nonsense\n\n')).toEqual([])
  })
})

describe('a port that is taken', () => {
  it('is a problem that names who has it, with the automatic port to choose', async () => {
    const answers = await check(VNC + SERIAL)
    expect(said(answers)).toEqual([
      'problem: port 5999, which its VNC screen wants, is taken by the program qemu-system-x86',
      'problem: port 4555, which its serial port wants, is taken by another program'
    ])
    expect(flags(answers)).toEqual(['--auto-ports', '--auto-ports'])
    expect(answers.apply(guest(VNC))).toBe(guest(VNC))
  })

  it('is automatic by choice, and RAM still fits', async () => {
    const answers = await check(VNC, { ss: SS }, { choices: [{ kind: 'auto-ports' }] })
    expect(said(answers)).toEqual([])
    expect(answers.misfits).toEqual([])
    expect(fixedPortsIn(answers.apply(guest(VNC)))).toEqual([])
  })

  it('is automatic by a choice of an earlier restore, which is said', async () => {
    const answers = await check(VNC, { ss: SS }, { remembered: [{ kind: 'auto-ports' }] })
    expect(said(answers).join()).toMatch(/^warning: Screens get a port of their own.*as chosen for this host before$/)
    expect(fixedPortsIn(answers.apply(guest(VNC)))).toEqual([])
  })

  it('is none of ours while it is free, whatever was chosen before', async () => {
    const answers = await check(VNC, { ss: '' }, { remembered: [{ kind: 'auto-ports' }] })
    expect(said(answers)).toEqual([])
    expect(answers.list.items.map(({ text }) => text)).toContain('port 5999 for its VNC screen is free here')
    expect(answers.apply(guest(VNC))).toBe(guest(VNC))
  })

  it('is only a warning for a VM that is not started', async () => {
    expect((await check(VNC, { ss: SS }, { mode: 'define' })).list.problems).toEqual([])
  })

  it('does not matter to the screen of a copy, which is automatic anyway; its serial port is not', async () => {
    const copy = { name: 'twin', uuid: OTHER }
    expect((await check(VNC, { ss: SS }, { copy })).list.items).toEqual([])
    expect(said(await check(SERIAL, { ss: SS }, { copy }))).toHaveLength(1)
  })

  it('is free on another address', async () => {
    const elsewhere = SERIAL.replaceAll('127.0.0.1', '192.168.122.1')
    expect(said(await check(elsewhere))).toEqual([])
    expect(said(await check(SERIAL.replaceAll('127.0.0.1', '0.0.0.0')))).toHaveLength(1)
  })

  it('is worth a word where a VM that is off wants it too, or where nothing can be told', async () => {
    const other = guest(VNC, '', OTHER).replace('<name>web', '<name>shop')
    expect(said(await check(VNC, { ss: '', vms: { [OTHER]: other } })).join()).toContain('VM shop wants port 5999')
    expect(said(await check(VNC, {})).join()).toContain('cannot be told which ports are free')
  })
})

describe('an address to listen on', () => {
  const FAR = `<graphics type='vnc' autoport='yes' listen='203.0.113.7'><listen type='address' address='203.0.113.7'/></graphics>`

  it('that this host does not have is a problem, with others to choose', async () => {
    const answers = await check(FAR)
    expect(said(answers)).toEqual(['problem: its VNC screen listens on 203.0.113.7, which is no address of this host'])
    expect(flags(answers)).toEqual(['--listen 127.0.0.1', '--listen 0.0.0.0'])
  })

  it('is changed by choice, everywhere it stands', async () => {
    const answers = await check(FAR, { ss: '' }, { choices: [{ kind: 'listen', address: '127.0.0.1' }] })
    expect(said(answers)).toEqual([])
    expect(listenAddressesIn(answers.apply(guest(FAR))).map(({ address }) => address)).toEqual(['127.0.0.1'])
  })

  it.each(['192.168.122.1', '::1', 'fd00:1::5', 'FD00:1:0:0:0:0:0:5', '127.0.0.3', 'localhost'])(
    'is one of this host: %s',
    async (address) => {
      const screen = `<graphics type='vnc' autoport='yes' listen='${address}'/>`
      expect(said(await check(LIVE + VNC + screen, { ss: '' }))).toEqual([])
    }
  )
})
