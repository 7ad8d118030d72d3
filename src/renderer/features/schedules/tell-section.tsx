import { Anchor, Checkbox, Select, Text } from '@mantine/core'
import type { Policy } from '../../../shared/model/policy.ts'
import { useWindow } from '../../state/store-context.ts'
import { StateMark } from '../../ui/state-mark.tsx'
import { formWords } from './form-words.ts'
import { Section, type PartProps } from './section.tsx'
import { TextTags } from './text-tags.tsx'

const said = formWords.tell
const DIGESTS = ['none', 'daily', 'weekly'] as const

export function TellSection({ form: { tell, host }, problems, onEdit }: PartProps) {
  const edit = (change: Partial<Policy['tell']>): void => onEdit({ tell: { ...tell, ...change } })
  return (
    <Section title={said.title} aside={<Channels host={host} />}>
      <Checkbox
        label={said.failure}
        description={said.failureHint}
        checked={tell.onFailure}
        onChange={({ currentTarget }) => edit({ onFailure: currentTarget.checked })}
      />
      <Checkbox
        label={said.success}
        checked={tell.onSuccess}
        onChange={({ currentTarget }) => edit({ onSuccess: currentTarget.checked })}
      />
      <Select
        label={said.digest}
        allowDeselect={false}
        value={tell.digest}
        data={DIGESTS.map((value) => ({ value, label: said.digests[value] }))}
        onChange={(digest) => digest !== null && edit({ digest })}
      />
      <TextTags
        label={said.to}
        description={said.toHint}
        placeholder={said.toExample}
        splitChars={[',', ' ', ';']}
        error={problems.mailTo}
        value={tell.mailTo}
        onChange={(mailTo) => edit({ mailTo })}
      />
    </Section>
  )
}

/** By what the host can tell, and the way to where that is set up. */
function Channels({ host }: { readonly host: string }) {
  const channels = useWindow((state) => state.policies?.hosts.find((each) => each.host === host)?.channels)
  const go = useWindow((state) => state.go)
  const has = channelWords(channels?.mail !== undefined, channels?.webhook !== undefined)
  return (
    <>
      {has === undefined ? (
        <StateMark tone="attention" label={said.hasNone} />
      ) : (
        <StateMark tone="good" label={said.has(has)} />
      )}
      <Text>
        <Anchor component="button" type="button" onClick={() => go({ screen: 'settings' })}>
          {said.lead}
        </Anchor>
      </Text>
    </>
  )
}

function channelWords(hasMail: boolean, hasWebhook: boolean): string | undefined {
  if (hasMail && hasWebhook) return said.channels.both
  if (hasMail) return said.channels.mail
  return hasWebhook ? said.channels.webhook : undefined
}
