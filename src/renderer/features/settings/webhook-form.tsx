import { NativeSelect, PasswordInput, Text, TextInput } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { WEBHOOK_FORMS, type WebhookChannel } from '../../../shared/model/channels.ts'
import type { KnownHost } from './channel-dialog.tsx'
import { webhookDraftOf, webhookOf, type WebhookDraft } from './channel-draft.ts'
import { ChannelFormFrame } from './channel-form-frame.tsx'
import { words } from './channel-words.ts'
import classes from './channels.module.css'
import { useChannelForm, type ChannelForm } from './use-channel-form.ts'

interface WebhookFormProps {
  readonly hosts: readonly KnownHost[]
  readonly first: string | undefined
}

const { dialog } = words
const OPTIONS = WEBHOOK_FORMS.map((form) => ({ value: form, label: words.forms[form].label }))

export function WebhookForm({ hosts, first }: WebhookFormProps) {
  const known = hosts.find(({ host, channels }) => (first === undefined ? channels.webhook : host === first))
  const now = known?.channels.webhook
  const form = useChannelForm({ hosts, first, begin: webhookDraftOf(now), read: webhookOf })
  const { draft, put } = form
  return (
    <ChannelFormFrame channel="webhook" hosts={hosts} form={form}>
      <NativeSelect
        label={dialog.form}
        data={OPTIONS}
        value={draft.form}
        onChange={({ currentTarget }) => put({ form: currentTarget.value as WebhookChannel['form'] })}
      />
      <Address form={form} isSet={now !== undefined} />
      <Token form={form} isSet={now?.hasToken === true} />
    </ChannelFormFrame>
  )
}

interface PartProps {
  readonly form: ChannelForm<WebhookDraft>
  readonly isSet: boolean
}

function Address({ form: { draft, put, problems }, isSet }: PartProps) {
  const { text, placeholder } = words.forms[draft.form]
  return (
    <div>
      <TextInput
        data-autofocus
        label={dialog.url}
        description={isSet ? `${text} ${dialog.urlSet}` : text}
        placeholder={placeholder}
        value={draft.url}
        error={problems.url}
        autoComplete="off"
        spellCheck={false}
        inputMode="url"
        onChange={({ currentTarget }) => put({ url: currentTarget.value })}
      />
      {draft.url.trim().startsWith('http:') && (
        <Text component="div" size="sm" className={classes['plain']}>
          <IconAlertTriangle size={16} aria-hidden /> {dialog.plain}
        </Text>
      )}
    </div>
  )
}

/** Where the address itself is the secret there is none. */
function Token({ form: { draft, put, problems }, isSet }: PartProps) {
  const { token } = words.forms[draft.form]
  if (token === undefined) return undefined
  return (
    <PasswordInput
      label={dialog.token}
      description={isSet ? `${token}. ${dialog.tokenSet}` : token}
      value={draft.token}
      error={problems.token}
      autoComplete="new-password"
      onChange={({ currentTarget }) => put({ token: currentTarget.value })}
    />
  )
}
