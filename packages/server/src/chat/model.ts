/** What the service needs to know to talk with one workspace of Slack. */
export interface SlackSettings {
  /** Slack signs with it what it sends. Secret. */
  readonly signing_secret: string;
  /** What the service says, it says with it. Secret. */
  readonly bot_token: string;
  /** Nobody of another workspace is heard. */
  readonly workspace_id: string;
  /** Without a slash at the end. */
  readonly api_url: URL;
  /** Whether the API, and whatever Slack asks to be answered at, may be at a private address. */
  readonly allow_private: boolean;
}

/** Somebody in the chat, as the chat knows him. */
export interface ChatAccount {
  readonly workspace_id: string;
  readonly chat_user_id: string;
}
