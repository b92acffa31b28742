import { Type } from 'typebox';
import { Page, PageQuery, Strict, Uuid } from '../schemas/common.ts';
import {
  Review,
  ReviewedGroup,
  ReviewMember,
  ReviewReply,
  ReviewState,
  ReviewTerms,
} from '../schemas/review.ts';
import { type Grant, operation, TEAM } from './operation.ts';

const tag = 'reviews';
const one = Strict({ team: Type.String(), id: Uuid });
const terms: readonly Grant[] = [['pam_admin', 'any']];
const answer: readonly Grant[] = [
  ['pam_admin', 'any'],
  ['end_user', 'owner_of'],
];
const all: readonly Grant[] = [
  ['pam_admin', 'any'],
  ['security_admin', 'any'],
  ['auditor', 'any'],
];
const read: readonly Grant[] = [...all, ['end_user', 'owner_of']];
const list: readonly Grant[] = [...all, ['end_user', 'self']];

export const reviewOperations = {
  listReviewedGroups: operation({
    id: 'listReviewedGroups',
    method: 'GET',
    path: `${TEAM}/reviewed_groups`,
    tag,
    summary: 'Groups whose members are reviewed, and how: those you own, or all',
    access: list,
    query: Strict({ ...PageQuery }),
    ok: { 200: Page(ReviewedGroup) },
  }),
  setReviewTerms: operation({
    id: 'setReviewTerms',
    method: 'PUT',
    path: `${TEAM}/groups/{id}/review`,
    tag,
    summary: 'Have the owners of a group confirm or remove its members, again and again',
    access: terms,
    params: one,
    body: ReviewTerms,
    ok: { 200: ReviewedGroup },
  }),
  removeReviewTerms: operation({
    id: 'removeReviewTerms',
    method: 'DELETE',
    path: `${TEAM}/groups/{id}/review`,
    tag,
    summary: 'Review a group no more; a review that is open is canceled',
    access: terms,
    params: one,
    ok: { 204: Type.Null() },
  }),
  listReviews: operation({
    id: 'listReviews',
    method: 'GET',
    path: `${TEAM}/reviews`,
    tag,
    summary: 'Reviews, open or over: of groups you own, or all',
    access: list,
    query: Strict({ ...PageQuery, state: Type.Optional(ReviewState) }),
    ok: { 200: Page(Review) },
  }),
  getReview: operation({
    id: 'getReview',
    method: 'GET',
    path: `${TEAM}/reviews/{id}`,
    tag,
    summary: 'A review',
    access: read,
    params: one,
    ok: { 200: Review },
  }),
  listReviewMembers: operation({
    id: 'listReviewMembers',
    method: 'GET',
    path: `${TEAM}/reviews/{id}/users`,
    tag,
    summary: 'Whom a review is about, and what was answered',
    access: read,
    params: one,
    query: Strict({ ...PageQuery }),
    ok: { 200: Page(ReviewMember) },
  }),
  answerReview: operation({
    id: 'answerReview',
    method: 'PUT',
    path: `${TEAM}/reviews/{id}/users/{user_id}`,
    tag,
    summary: 'Keep or remove a member; nobody answers for himself',
    access: answer,
    params: Strict({ team: Type.String(), id: Uuid, user_id: Uuid }),
    body: ReviewReply,
    ok: { 200: ReviewMember },
  }),
} as const;
