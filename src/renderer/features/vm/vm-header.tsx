import { Anchor, Button } from '@mantine/core'
import { IconHistory, IconPlayerRecord } from '@tabler/icons-react'
import { pointName } from '../../../shared/point-name.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { useWindow } from '../../state/store-context.ts'
import { Ago } from '../../ui/ago.tsx'
import { Name } from '../../ui/name.tsx'
import { PageHeader } from '../../ui/page-header.tsx'
import { words as hostWords } from '../hosts/words.ts'
import { VmState } from './vm-state.tsx'
import { vmFacts, type VmKnown } from './vm-view.ts'
import classes from './vm.module.css'
import { words } from './words.ts'

/** Which VM it is, how it is, and the two things one comes here to do. */
export function VmHeader({ known }: { readonly known: VmKnown }) {
  return (
    <div>
      <PageHeader
        title={<Name text={known.name} lines={2} />}
        subtitle={<Where known={known} />}
        actions={<VmActions known={known} />}
      />
      {known.vm !== undefined && (
        <dl className={classes['facts']}>
          {vmFacts(known).map(([label, value]) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>
                <bdi>{value}</bdi>
              </dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  )
}

function Where({ known: { vm, host, hostName } }: { readonly known: VmKnown }) {
  const go = useWindow((state) => state.go)
  if (vm === undefined) return words.gone
  return (
    <span className={classes['where']}>
      <VmState state={vm.state} />
      <span>
        {words.on}{' '}
        <Anchor component="button" type="button" onClick={() => go({ screen: 'hosts', host: hostName })}>
          <bdi>{safeText(hostName)}</bdi>
        </Anchor>
      </span>
      {host !== undefined && host.state !== 'up' && host.asOf !== undefined && (
        <span>
          {hostWords.asOf} <Ago at={host.asOf} />
        </span>
      )}
    </span>
  )
}

function VmActions({ known: { uuid, hostName, vm, newestGood, running } }: { readonly known: VmKnown }) {
  const openBackup = useWindow((state) => state.openBackup)
  const go = useWindow((state) => state.go)
  const isBusy = running.some(({ kind }) => kind === 'backup' || kind === 'restore')
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconHistory size={16} aria-hidden />}
        disabled={newestGood === undefined}
        onClick={() => newestGood !== undefined && go({ screen: 'restore', point: pointName(newestGood) })}
      >
        {words.restoreNewest}
      </Button>
      <Button
        leftSection={<IconPlayerRecord size={16} aria-hidden />}
        disabled={vm === undefined || isBusy}
        onClick={() => openBackup({ host: hostName, vm: uuid })}
      >
        {words.backUp}
      </Button>
    </>
  )
}
