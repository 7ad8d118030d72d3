import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import {
  addChoiceOptions,
  choicesOf,
  diskDirOf,
  lineWith,
  offerLines
} from '../../../src/main/doors/cli/restore-choices.ts'
import { flagOf, type RestoreChoice } from '../../../src/shared/model/restore-choice.ts'
import { FILES, POINT, VM, manifestOf } from '../store-points.ts'

const ALL: readonly RestoreChoice[] = [
  { kind: 'map-network', from: 'my lan', to: 'none' },
  { kind: 'map-bridge', from: 'br0', to: 'network:default' },
  { kind: 'map-device', from: 'eth0', to: 'eth1' },
  { kind: 'drop', device: 'pci:0000:01:00.0' },
  { kind: 'drop', device: "folder:/it's" },
  { kind: 'disk-dir', disk: 'vda', dir: '/srv/my vms' },
  { kind: 'listen', address: '::1' },
  { kind: 'memory', mib: 512 },
  { kind: 'auto-ports' },
  { kind: 'drop-pins' },
  { kind: 'drop-hugepages' },
  { kind: 'host-machine' },
  { kind: 'host-cpu' },
  { kind: 'spice-to-vnc' }
]

describe('choices on the command line', () => {
  it('are understood as the check prints them, each and every one', () => {
    const command = addChoiceOptions(new Command())
    command.parse(ALL.flatMap(flagOf), { from: 'user' })
    expect(choicesOf(command.opts())).toEqual(ALL)
  })

  it('name one folder for all disks, and others for some', () => {
    const command = addChoiceOptions(new Command())
      .exitOverride()
      .configureOutput({ writeErr: () => undefined })
    command.parse(['--disk-dir', '/srv/a=b', '--disk-dir', 'vda=/ssd'], { from: 'user' })
    expect(diskDirOf(command.opts())).toBe('/srv/a=b')
    expect(choicesOf(command.opts())).toEqual([{ kind: 'disk-dir', disk: 'vda', dir: '/ssd' }])
    expect(() => command.parse(['--disk-dir', 'vda=ssd'], { from: 'user' })).toThrow('absolute path')
  })

  it('are none where none is given', () => {
    const command = addChoiceOptions(new Command())
    command.parse([], { from: 'user' })
    expect(choicesOf(command.opts())).toEqual([])
  })

  it('make a whole line with all that was asked for', () => {
    const point = { manifest: manifestOf(FILES), places: [], marks: { pinned: false } }
    const order = {
      point,
      to: 'beta',
      replace: true,
      diskDir: '/srv/my disks',
      choices: [{ kind: 'auto-ports' } as const]
    }
    expect(lineWith({ ...order, mode: undefined }, [{ kind: 'drop', device: 'usb:1:2' }])).toBe(
      `stillpoint restore ${POINT} --to beta --replace --disk-dir '/srv/my disks' --auto-ports --drop usb:1:2`
    )
    const more = { attachDisks: ['vdb', 'vdc'], allow: ['read=/srv/my iso', 'card=user'], remembered: [] }
    expect(lineWith({ ...order, ...more, mode: 'boot' }, [])).toBe(
      `stillpoint restore ${POINT} --to beta --mode boot --replace --disk-dir '/srv/my disks' --attach vdb,vdc --allow 'read=/srv/my iso' --allow card=user --no-remembered --auto-ports`
    )
    const copy = { name: 'twin', uuid: VM }
    expect(lineWith({ point, to: 'beta', replace: false, diskDir: undefined, mode: 'define', copy }, [])).toBe(
      `stillpoint restore ${POINT} --to beta --mode copy --name twin --no-start`
    )
  })

  it('are printed to be pasted', () => {
    const choice = { kind: 'map-network', from: 'my lan', to: 'none' } as const
    expect(offerLines([{ label: 'leave its cards unplugged', choice }])).toEqual([
      "--map-network 'my lan=none'  (leave its cards unplugged)"
    ])
  })
})
