import { Button, Checkbox, Group, Stack, Text } from '@mantine/core'
import type { ReactNode, SyntheticEvent } from 'react'
import { safeText } from '../../../shared/safe-text.ts'
import { useWindow } from '../../state/store-context.ts'
import { FailureNotice } from '../../ui/failure-notice.tsx'
import { failureShown } from '../../ui/failure-shown.ts'
import { StateMark } from '../../ui/state-mark.tsx'
import { words as shared } from '../../words.ts'
import type { KnownHost } from './channel-dialog.tsx'
import { words } from './channel-words.ts'
import classes from './channels.module.css'
import { channelKey, type ChannelName } from './channels-slice.ts'
import type { ChannelForm } from './use-channel-form.ts'

interface ChannelFormFrameProps {
  readonly channel: ChannelName
  readonly hosts: readonly KnownHost[]
  readonly form: ChannelForm<never> | Pick<ChannelForm<object>, 'chosen' | 'choose' | 'submit' | 'isTried'>
  readonly children: ReactNode
}

/** What both forms have: the hosts they are for, the button, and what each host said to it. */
export function ChannelFormFrame({ channel, hosts, form, children }: ChannelFormFrameProps) {
  const close = useWindow((state) => state.closeChannelForm)
  const saves = useWindow((state) => state.channelSaves)
  const { chosen, submit } = form
  const isSaving = chosen.some((host) => saves.get(channelKey({ channel, host }))?.state === 'saving')
  const onSubmit = (event: SyntheticEvent): void => {
    event.preventDefault()
    submit()
  }
  return (
    <form onSubmit={onSubmit} noValidate>
      <Stack gap="md">
        {children}
        {hosts.length > 1 && <Hosts hosts={hosts} channel={channel} form={form} />}
        <Answers channel={channel} chosen={chosen} />
        <Group justify="space-between" gap="sm">
          <Text size="sm" c="dimmed" flex="1 1 20ch">
            {words.dialog.thenTest}
          </Text>
          <Button variant="default" disabled={isSaving} onClick={close}>
            {shared.cancel}
          </Button>
          <Button type="submit" loading={isSaving}>
            {words.dialog.save(chosen.length)}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

type HostsProps = Pick<ChannelFormFrameProps, 'hosts' | 'channel' | 'form'>

function Hosts({ hosts, channel, form: { chosen, choose, isTried } }: HostsProps) {
  const problem = isTried && chosen.length === 0 ? words.problems.hosts : undefined
  return (
    <Checkbox.Group
      label={words.dialog.hosts}
      description={words.dialog.hostsHint}
      error={problem}
      value={[...chosen]}
      onChange={(all) => choose(all)}
    >
      <div className={classes['hostChoices']}>
        {hosts.map(({ host, channels, isReachable }) => (
          <Checkbox
            key={host}
            value={host}
            disabled={!isReachable}
            label={<bdi>{safeText(host)}</bdi>}
            description={hostHint(channel, channels[channel] !== undefined, isReachable)}
          />
        ))}
      </div>
    </Checkbox.Group>
  )
}

function hostHint(channel: ChannelName, isSet: boolean, isReachable: boolean): string | undefined {
  if (!isReachable) return words.dialog.cannot
  return isSet ? words.dialog.has(words.channel[channel]) : undefined
}

/** One host may take it while another refuses. */
function Answers({ channel, chosen }: { readonly channel: ChannelName; readonly chosen: readonly string[] }) {
  const saves = useWindow((state) => state.channelSaves)
  return chosen.map((host) => {
    const save = saves.get(channelKey({ channel, host }))
    if (save?.state === 'saved')
      return <StateMark key={host} tone="good" label={words.dialog.savedOn(safeText(host))} />
    if (save?.state !== 'failed') return undefined
    const failure = failureShown(save.failure)
    return <FailureNotice key={host} failure={{ ...failure, title: `${safeText(host)}: ${failure.title}` }} />
  })
}
