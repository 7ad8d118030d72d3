import { describe, expect, it } from 'vitest'
import type { Answers } from '../../../src/engine/restore/answers.ts'
import { planNetworks } from '../../../src/engine/restore/plan-networks.ts'
import type { RestorePlan } from '../../../src/engine/restore/restore-plan.ts'
import { overlap, rangeOf } from '../../../src/libvirt/address-range.ts'
import { parseDomain } from '../../../src/libvirt/domain-xml.ts'
import { moveCards } from '../../../src/libvirt/network-cards.ts'
import { parseNetwork } from '../../../src/libvirt/network-xml.ts'
import { parseXml, serializeXml } from '../../../src/libvirt/xml.ts'
import { parseRoutes } from '../../../src/libvirt/routes.ts'
import type { RestoreSpec } from '../../../src/shared/model/job.ts'
import { answersFor, asking, flags, guest, hardwareWith, paperHost, said } from './asked-host.ts'

const PROD = `<network><name>prod</name><uuid>aaaaaaaa-2222-4333-8444-555555555555</uuid><forward mode='nat'/>
  <bridge name='virbr1' stp='on' delay='0'/><mac address='52:54:00:11:11:11'/>
  <ip address='10.77.0.1' netmask='255.255.255.0'><dhcp><range start='10.77.0.2' end='10.77.0.9'/></dhcp></ip></network>`
const like = (name: string, change: Readonly<Record<string, string>> = {}): string =>
  Object.entries({ '>prod<': `>${name}<`, ...change }).reduce((xml, [from, to]) => xml.replace(from, to), PROD)
const apart = { aaaaaaaa: 'bbbbbbbb', virbr1: 'virbr9', '11:11:11': '22:22:22', '10.77.0.1': '10.99.0.1' }
const HOST = JSON.stringify({ networks: [{ name: 'prod', xml: PROD }] })

const card = (type: string, source: string): string =>
  `<interface type='${type}'><mac address='52:54:00:00:00:01'/><source ${source}/><model type='virtio'/></interface>`
const ON_PROD = card('network', `network='prod'`)
const BRIDGE = { '/sys/class/net/br7/bridge/x': '', '/sys/class/net/lo/x': '' }
const ROUTES = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t00004D0A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
`

interface Around {
  readonly networks?: Readonly<Record<string, string>>
  readonly off?: readonly string[]
  readonly files?: Readonly<Record<string, string>>
  readonly host?: string
}

async function plan(
  devices: string,
  { networks = {}, off = [], files = {}, host = HOST }: Around = {},
  spec: Partial<RestoreSpec> = {}
): Promise<{ answers: Answers; made: RestorePlan['networks']; cards: string[] }> {
  const answers = answersFor(spec)
  const hardware = await hardwareWith(files)
  const made = await planNetworks(
    paperHost({ networks, off }),
    host,
    asking(guest(devices)),
    new Set(),
    hardware,
    answers
  )
  const { interfaces } = parseDomain(answers.apply(guest(devices)))
  return { answers, made, cards: interfaces.map(({ type, source }) => `${type} ${source ?? ''}`) }
}

describe('a network that is missing here', () => {
  it('is made as it was where nothing of it is taken', async () => {
    const { answers, made } = await plan(ON_PROD, { networks: { other: like('other', apart) } })
    expect(said(answers)).toEqual([
      "warning: Network prod will be made as it was on the point's host: bridge virbr1, addresses of 10.77.0.1/24"
    ])
    const xml = serializeXml(parseXml(PROD, 'network XML'))
    expect(made).toEqual({ define: [{ name: 'prod', xml }], start: ['prod'] })
  })

  it('is made without the bridge name, the UUID and the MAC address that others have', async () => {
    const other = like('other', { '10.77.0.1': '10.99.0.1' })
    const { answers, made } = await plan(ON_PROD, { networks: { other } })
    expect(answers.list.problems).toEqual([])
    expect(answers.list.items[0]?.text).toContain('its bridge gets another name, since virbr1 is taken here')
    const [{ xml } = { xml: '' }] = made.define
    const { ownBridge, mac, uuid, ranges } = parseNetwork(xml)
    expect([ownBridge, mac, ranges]).toEqual([undefined, undefined, parseNetwork(PROD).ranges])
    expect(uuid).toMatch(/^[0-9a-f]{8}-/)
    expect(uuid).not.toBe(parseNetwork(PROD).uuid)
  })

  it('is asked about where it has the addresses of whom this host asks for names', async () => {
    const resolv = (server: string): Record<string, string> => ({
      '/etc/resolv.conf': 'nameserver 127.0.0.53\n',
      '/run/systemd/resolve/resolv.conf': `# made\nnameserver ${server}\nnameserver fe80::1%eth0\n`
    })
    const refused = async (server: string): Promise<(string | undefined)[]> =>
      (await plan(ON_PROD, { files: resolv(server) })).answers.list.problems.map(({ allow }) => allow)
    expect(await refused('10.77.0.53')).toEqual(['privilege=the-addresses-of-the-name-server-10.77.0.53'])
    expect(await refused('10.78.0.53')).toEqual([])
  })

  it('without a mask has the subnet of its class, as libvirt reads it', () => {
    const ranges = (ip: string): string[] =>
      parseNetwork(`<network><name>n</name><ip ${ip}/></network>`).ranges.map(
        ({ address, prefix }) => `${address}/${prefix}`
      )
    expect(ranges("address='10.0.0.1'")).toEqual(['10.0.0.1/8'])
    expect(ranges("address='172.16.0.1'")).toEqual(['172.16.0.1/16'])
    expect(ranges("address='192.168.0.1' prefix='0'")).toEqual(['192.168.0.1/24'])
    expect(ranges("address='10.0.0.1' prefix='0' netmask='255.255.0.0'")).toEqual(['10.0.0.1/16'])
    expect(ranges("family='ipv6' address='fd00::1'")).toEqual(['fd00::1/64'])
    expect(ranges("address='240.0.0.1'")).toEqual([])
  })

  it('gives way to a bridge of that name that no network has', async () => {
    const { made } = await plan(ON_PROD, { files: { '/sys/class/net/virbr1/bridge/x': '' } })
    expect(parseNetwork(made.define[0]?.xml ?? '').ownBridge).toBeUndefined()
  })

  it('and whose addresses another has is a problem: the other can be used instead', async () => {
    const other = like('other', { ...apart, '10.77.0.1': '10.77.0.130' })
    const far = like('far', { aaaaaaaa: 'cccccccc', '10.77.0.1': '10.98.0.1' })
    const around = { networks: { far, other } }
    const { answers, made } = await plan(ON_PROD, around)
    expect(said(answers)).toEqual([
      'problem: network prod (10.77.0.1/24) has addresses that network other (10.77.0.130/24) has here'
    ])
    expect(flags(answers)[0]).toBe('--map-network prod=other')
    expect(made.define).toEqual([])
    const chosen = await plan(ON_PROD, around, { choices: [{ kind: 'map-network', from: 'prod', to: 'other' }] })
    expect(said(chosen.answers)).toEqual([])
    expect(chosen.answers.misfits).toEqual([])
    expect([chosen.cards, chosen.made]).toEqual([['network other'], { define: [], start: [] }])
  })

  it('and whose subnet this host reaches otherwise is a problem', async () => {
    const routes = ROUTES.replace('0000FFFF', '00FFFFFF')
    const { answers } = await plan(ON_PROD, { files: { '/proc/net/route': routes } })
    expect(said(answers)).toEqual([
      'problem: network prod (10.77.0.1/24) has addresses that this host reaches by eth0 (10.77.0.0/24)'
    ])
  })

  it('and that merely lies in what this host reaches is made, with a word', async () => {
    const { answers, made } = await plan(ON_PROD, { files: { '/proc/net/route': ROUTES } })
    expect(said(answers)[0]).toMatch(
      /^warning: Network prod \(10\.77\.0\.1\/24\) shares addresses with what this host reaches by eth0 \(10\.77\.0\.0\/16\)/
    )
    expect(made.define).toHaveLength(1)
  })

  it('is told of ways that cover it also where it is here and off, not where it is active', async () => {
    const around = { networks: { prod: PROD }, files: { '/sys/class/net/virbr1/x': '', '/proc/net/route': ROUTES } }
    expect(said((await plan(ON_PROD, { ...around, off: ['prod'] })).answers).join()).toMatch(
      /^warning: .*shares addresses/
    )
    expect(said((await plan(ON_PROD, around)).answers)).toEqual([])
  })

  it('is a problem where nobody knows how it was, or its definition is none', async () => {
    for (const host of ['{}', JSON.stringify({ networks: [{ name: 'prod', xml: '<a' }] })])
      expect(said((await plan(ON_PROD, { host })).answers)).toEqual(['problem: network prod does not exist here'])
  })
})

describe('a bridge or device that is missing here', () => {
  it.each([
    ['bridge', `bridge='br0'`, 'bridge br0 does not exist here', '--map-bridge br0='],
    ['direct', `dev='lan0' mode='bridge'`, 'device lan0 does not exist here', '--map-device lan0=']
  ])('is a problem with what is here to choose: %s', async (type, source, text, flag) => {
    const networks = { default: like('default', apart) }
    const { answers } = await plan(card(type, source), { networks, files: BRIDGE })
    expect(said(answers)).toEqual([`problem: ${text}`])
    const prefix = type === 'bridge' ? '' : 'bridge:'
    expect(flags(answers)).toEqual([`${flag}network:default`, `${flag}${prefix}br7`, `${flag}none`])
  })

  it('behind a network of libvirt is one as well, whether that is made or here', async () => {
    const lan = `<network><name>lan</name><forward mode='bridge'/><bridge name='br9'/></network>`
    const on = card('network', `network='lan'`)
    const text = 'problem: network lan puts its cards on bridge br9, which does not exist here'
    const host = JSON.stringify({ networks: [{ name: 'lan', xml: lan }] })
    expect(said((await plan(on, { host })).answers)).toEqual([text])
    expect(said((await plan(on, { networks: { lan } })).answers)).toEqual([text])
    expect(said((await plan(on, { networks: { lan }, files: { '/sys/class/net/br9/x': '' } })).answers)).toEqual([])
  })

  it.each([
    ['br7', 'bridge br7'],
    ['network:default', 'network default'],
    ['device:lo', 'direct lo'],
    ['none', 'ethernet ']
  ])('is exchanged for %s by choice', async (to, cards) => {
    const around = { networks: { default: like('default', apart) }, files: BRIDGE }
    const choices = [{ kind: 'map-bridge', from: 'br0', to } as const]
    const moved = await plan(card('bridge', `bridge='br0'`), around, { choices })
    expect([said(moved.answers), moved.cards, moved.answers.misfits]).toEqual([[], [cards], []])
  })

  it('is still a problem where what was chosen is not here either', async () => {
    const choices = [{ kind: 'map-bridge', from: 'br0', to: 'br1' } as const]
    const { answers, cards } = await plan(card('bridge', `bridge='br0'`), {}, { choices })
    expect(said(answers)).toEqual(['problem: there is no bridge br1 here to put its cards on'])
    expect(cards).toEqual(['bridge br0'])
  })

  it('is exchanged as it was at an earlier restore, but only while it is missing', async () => {
    const remembered = [{ kind: 'map-bridge', from: 'br0', to: 'br7' } as const]
    const missing = await plan(card('bridge', `bridge='br0'`), { files: BRIDGE }, { remembered })
    expect(said(missing.answers)).toEqual([
      'warning: Cards that were on bridge br0 are put on bridge br7, as chosen for this host before'
    ])
    expect(missing.answers.list.items).toContainEqual(expect.objectContaining({ remembered: true }))
    expect(missing.cards).toEqual(['bridge br7'])
    const here = await plan(card('bridge', `bridge='br0'`), { files: { '/sys/class/net/br0/x': '' } }, { remembered })
    expect([said(here.answers), here.cards]).toEqual([[], ['bridge br0']])
  })

  it('is not what a choice was about that names no card', async () => {
    const { answers } = await plan('', {}, { choices: [{ kind: 'map-network', from: 'lna', to: 'default' }] })
    expect(said(answers)).toEqual(['warning: No network card of the VM is on network lna, so there is none to move'])
  })
})

describe('moving cards', () => {
  it('leaves MAC and model, and takes what belongs to the old network', () => {
    const full = guest(
      `<interface type='network'><mac address='52:54:00:AA:bb:cc'/><source network='lan' portgroup='x'/><vlan><tag id='4'/></vlan><virtualport type='openvswitch'/><filterref filter='clean-traffic'/><model type='virtio'/></interface>${card('network', `network='other'`)}`
    )
    const moved = moveCards(full, { on: 'network', name: 'lan' }, { on: 'bridge', name: 'br0' })
    expect(parseDomain(moved).interfaces).toEqual([
      { type: 'bridge', source: 'br0', mac: '52:54:00:AA:bb:cc' },
      { type: 'network', source: 'other', mac: '52:54:00:00:00:01' }
    ])
    expect(moved).not.toMatch(/portgroup|vlan|virtualport/)
    expect(moved).toContain('clean-traffic')
    const out = moveCards(full, { on: 'network', name: 'lan' }, { on: 'none' })
    expect(out).toMatch(
      /<interface type="ethernet"><mac [^>]*\/><model type="virtio"\/><link state="down"\/><\/interface>/
    )
  })
})

describe('subnets', () => {
  it.each([
    ['10.77.0.1/24', '10.77.0.130/25', true],
    ['10.77.0.1/24', '10.78.0.1/24', false],
    ['10.0.0.0/8', '10.77.0.1/24', true],
    ['fd00:1::1/64', 'fd00:1::5/64', true],
    ['fd00:1::1/64', 'fd00:2::5/64', false],
    ['10.77.0.1/24', 'fd00:1::1/64', false]
  ])('%s and %s share addresses: %s', (a, b, expected) => {
    const [one, other] = [a, b].map((text) => rangeOf(text.split('/')[0] ?? '', text.split('/')[1] ?? ''))
    expect(one && other && [overlap(one, other), overlap(other, one)]).toEqual([expected, expected])
  })

  it('may be written with a netmask, and are none otherwise', () => {
    expect(rangeOf('10.0.0.1', '255.255.252.0')?.prefix).toBe(22)
    for (const [address, mask] of [
      ['10.0.0.1', '255.0.255.0'],
      ['10.0.0.1', '33'],
      ['x', '24'],
      ['10.0.0.1', '']
    ])
      expect(rangeOf(address ?? '', mask ?? '')).toBeUndefined()
  })

  it('that a host reaches are read from the kernel; the way to everywhere else is none', () => {
    expect(parseRoutes(ROUTES)).toEqual([
      { device: 'eth0', range: { family: 'ipv4', address: '10.77.0.0', prefix: 16 } }
    ])
  })
})
