// A message as an event about it leaves it. `me`: whose marks on it are one's own, which events to all do not tell.

// An edit makes another message: who edits it meanwhile goes on with their version.
export function after(message, frame, me) {
  switch (frame.type) {
    case "message.edited": // of one that is gone since, it comes without the message
      return frame.message ? edited(message, frame.message) : message;
    case "message.deleted":
      return Object.assign(message, { content: null, deleted_at: frame.at, reactions: [], attachments: [], poll: null, card: null, preview: null });
    case "reaction.changed":
      message.reactions = reacted(message.reactions, frame, frame.user_id === me);
      break;
    case "pin.changed":
      message.pinned = frame.pinned;
      break;
    case "poll.changed":
      message.poll = { ...frame.poll, mine: message.poll?.mine };
      break;
    case "card.changed":
      message.card = frame.card;
      break;
  }
  return message;
}

// An older edit than the one that stands there comes late.
export function edited(message, now) {
  if (now.version < message.version || message.deleted_at) return message;
  const mine = new Set(message.reactions.filter((each) => each.mine).map((each) => each.emoji));
  const reactions = now.reactions.map((each) => ({ ...each, mine: mine.has(each.emoji) }));
  return { ...now, reactions, poll: now.poll && { ...now.poll, mine: message.poll?.mine } };
}

function reacted(reactions, frame, own) {
  const before = reactions.find((each) => each.emoji === frame.emoji);
  const shown = { emoji: frame.emoji, count: frame.count, mine: own ? frame.added : before?.mine ?? false };
  const all = before ? reactions.map((each) => (each === before ? shown : each)) : [...reactions, shown];
  return all.filter((each) => each.count > 0);
}
