//! Links to other providers in memory.

use async_trait::async_trait;

use super::{MemoryStore, Tables};
use crate::account::User;
use crate::id::UserId;
use crate::linking::{ExternalIdentity, InsertLink, Link, LinkPermit, LinkStore, RemoveLink};
use crate::store::StoreError;

impl Tables {
    fn insert_link(&mut self, link: &Link) -> InsertLink {
        if self.user(link.user).is_none() {
            return InsertLink::NotFound;
        }
        for other in &self.links {
            if other.identity == link.identity {
                return if other.user == link.user {
                    InsertLink::Inserted
                } else {
                    InsertLink::IdentityTaken
                };
            }
            if other.user == link.user && other.identity.issuer() == link.identity.issuer() {
                return InsertLink::IssuerTaken;
            }
        }
        self.links.push(link.clone());
        InsertLink::Inserted
    }
}

#[async_trait]
impl LinkStore for MemoryStore {
    async fn find_linked(&mut self, identity: &ExternalIdentity) -> Result<Option<User>, StoreError> {
        let tables = self.tables();
        let link = tables.links.iter().find(|link| link.identity == *identity);
        Ok(link.and_then(|link| tables.user(link.user)))
    }

    async fn links_of(&mut self, user: UserId) -> Result<Vec<Link>, StoreError> {
        let mut links: Vec<Link> = self.tables().links.iter().filter(|link| link.user == user).cloned().collect();
        links.sort_by_key(|link| link.linked_at);
        Ok(links)
    }

    async fn insert_link(&mut self, permit: &LinkPermit) -> Result<InsertLink, StoreError> {
        Ok(self.tables().insert_link(permit.link()))
    }

    async fn insert_first_link(&mut self, link: &Link) -> Result<InsertLink, StoreError> {
        let mut tables = self.tables();
        let other = tables
            .links
            .iter()
            .any(|other| other.user == link.user && other.identity != link.identity);
        Ok(if other { InsertLink::IssuerTaken } else { tables.insert_link(link) })
    }

    async fn remove_link(&mut self, user: UserId, issuer: &str) -> Result<RemoveLink, StoreError> {
        let mut tables = self.tables();
        let is_it = |link: &Link| link.user == user && link.identity.issuer() == issuer;
        if !tables.links.iter().any(is_it) {
            return Ok(RemoveLink::NotFound);
        }
        let password = tables.users.get(&user).is_some_and(|row| row.password.is_some());
        let another = tables.links.iter().any(|link| link.user == user && !is_it(link));
        if !password && !another {
            return Ok(RemoveLink::LastFactor);
        }
        tables.links.retain(|link| !is_it(link));
        Ok(RemoveLink::Removed)
    }
}
