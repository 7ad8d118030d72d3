import { Button, Group, Modal, Radio, Select, Stack, Text, TextInput } from '@mantine/core'
import { useState } from 'react'
import { safeText } from '../../../shared/safe-text.ts'
import { pointName } from '../../../shared/point-name.ts'
import type { PointView } from '../../../shared/views/point-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { directoryProblem, hostsWithout } from './copy-view.ts'
import { words } from './words.ts'

const said = words.copy

/** Puts a point into another place: a host, or a directory of this computer. */
export function CopyDialog({ point }: { readonly point: PointView }) {
  const hosts = hostsWithout(point, useWindow((state) => state.hosts) ?? [])
  const close = useWindow((state) => state.closePointDialog)
  const copy = useWindow((state) => state.copyPoint)
  const errand = useWindow((state) => state.pointErrand)
  const [kind, setKind] = useState<'host' | 'computer'>(hosts.length > 0 ? 'host' : 'computer')
  const [host, setHost] = useState(hosts[0] ?? '')
  const [directory, setDirectory] = useState('')
  const problem = directoryProblem(directory)
  const to = kind === 'host' ? host : directory.trim()
  return (
    <Modal opened onClose={close} title={said.title}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          copy(pointName(point), to)
        }}
      >
        <Stack gap="md">
          <Text>{said.text}</Text>
          <Radio.Group label={said.to} value={kind} onChange={setKind}>
            <Stack gap="sm" mt="sm">
              <Radio value="host" label={said.host} disabled={hosts.length === 0} />
              <Radio value="computer" label={said.computer} />
            </Stack>
          </Radio.Group>
          {kind === 'host' ? (
            <Select
              label={said.whichHost}
              data={hosts.map((name) => ({ value: name, label: safeText(name) }))}
              value={host}
              searchable
              allowDeselect={false}
              nothingFoundMessage={said.noHost}
              onChange={(value) => value !== null && setHost(value)}
            />
          ) : (
            <TextInput
              label={said.directory}
              description={said.directoryHint}
              value={directory}
              error={problem}
              autoComplete="off"
              onChange={({ currentTarget }) => setDirectory(currentTarget.value)}
            />
          )}
          {errand?.failure !== undefined && <FailureNotice failure={failureShown(errand.failure)} />}
          <Group justify="flex-end" gap="sm">
            <Button variant="default" onClick={close}>
              {said.cancel}
            </Button>
            <Button
              type="submit"
              disabled={to === '' || (kind === 'computer' && problem !== undefined)}
              loading={errand?.isBusy === true}
            >
              {said.start}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
